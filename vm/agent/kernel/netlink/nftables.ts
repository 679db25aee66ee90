/** nf_tables: changes of set and map elements, as one transaction. Tables, chains and sets themselves are made with `nft -f`. */
import { attribute, attributeString, messageFlags, nested } from './message.ts';
import type { NetlinkRequest } from './request.ts';

const subsystem = 10;
const batchBegin = 0x10;
const batchEnd = 0x11;
const newElement = 12;
const deleteElement = 14;
const familyInet = 1;
const list = { table: 1, set: 2, elements: 3 } as const;
const listElement = 1;
const element = { key: 1, data: 2 } as const;
const dataValue = 1;

export interface SetElement {
  /** Concatenated fields, see {@link concatenation}. */
  readonly key: Buffer;
  /** For maps. */
  readonly data?: Buffer;
}

export interface ElementChange {
  readonly action: 'add' | 'delete';
  /** In the family `inet`. */
  readonly table: string;
  readonly set: string;
  readonly element: SetElement;
  /** For the error. */
  readonly attempt: string;
}

/** Registers hold four bytes each: every field of a concatenation is padded to a multiple of it. */
export function concatenation(...fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields.flatMap((field) => [field, Buffer.alloc((4 - (field.length % 4)) % 4)]));
}

/**
 * One transaction, all or nothing. Deleting what is not there succeeds when it is the only change: within a transaction it undoes
 * the others.
 */
export function changeElements(changes: readonly ElementChange[]): NetlinkRequest[] {
  return [batch(batchBegin), ...changes.map(changeElement), batch(batchEnd)];
}

function changeElement({ action, table, set, element: { key, data }, attempt }: ElementChange): NetlinkRequest {
  const parts = [nested(element.key, attribute(dataValue, key))];
  if (data !== undefined && action === 'add') parts.push(nested(element.data, attribute(dataValue, data)));
  return {
    attempt,
    type: (subsystem << 8) | (action === 'add' ? newElement : deleteElement),
    flags: messageFlags.acknowledge | (action === 'add' ? messageFlags.create : 0),
    body: Buffer.concat([
      header(familyInet, 0),
      attributeString(list.table, table),
      attributeString(list.set, set),
      nested(list.elements, nested(listElement, ...parts)),
    ]),
    ...(action === 'delete' ? { expected: ['ENOENT'] } : {}),
  };
}

function batch(type: number): NetlinkRequest {
  return { attempt: 'change firewall sets', type, flags: 0, body: header(0, subsystem) };
}

function header(family: number, resource: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt8(family, 0);
  bytes.writeUInt16BE(resource, 2);
  return bytes;
}
