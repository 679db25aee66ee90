/** As much of DNS messages (RFC 1035) as a forwarder must understand. Input comes from containers: anything may be in it. */
import { isIPv6 } from 'node:net';
import { addressBytes, addressText } from '../../kernel/netlink/addresses.ts';

const headerBytes = 12;
const recordTypes = { a: 1, pointer: 12, aaaa: 28, any: 255 } as const;
export const responseCodes = { noError: 0, formatError: 1, serverFailure: 2, notImplemented: 4 } as const;
const classInternet = 1;
/** Short: a container started again may have another address. */
const answerTtlSeconds = 5;
const flag = { response: 0x8000, truncated: 0x0200, recursionDesired: 0x0100, recursionAvailable: 0x0080 };

export interface Query {
  /** Lower case, without the final dot; the root is empty. */
  readonly name: string;
  readonly type: number;
  readonly isInternet: boolean;
  /** Where the one question ends in the message. */
  readonly questionEnd: number;
}

/** A response code: answer with it. `drop`: not even worth that (not a query, or no header). */
export type QueryError = 'drop' | (typeof responseCodes)['formatError' | 'notImplemented'];

export function parseQuery(message: Buffer): Query | QueryError {
  if (message.length < headerBytes) return 'drop';
  const flags = message.readUInt16BE(2);
  if ((flags & flag.response) !== 0) return 'drop';
  if (((flags >> 11) & 0xf) !== 0) return responseCodes.notImplemented;
  if (message.readUInt16BE(4) !== 1) return responseCodes.formatError;
  const name = parseName(message, headerBytes);
  if (name === undefined || name.end + 4 > message.length) return responseCodes.formatError;
  return {
    name: name.text,
    type: message.readUInt16BE(name.end),
    isInternet: message.readUInt16BE(name.end + 2) === classInternet,
    questionEnd: name.end + 4,
  };
}

/** Without compression: a question has nothing before it to point to. */
function parseName(message: Buffer, start: number): { text: string; end: number } | undefined {
  const labels: string[] = [];
  let offset = start;
  for (;;) {
    const length = message[offset];
    if (length === undefined || length > 63 || offset - start > 254) return undefined;
    offset++;
    if (length === 0) return { text: labels.join('.').toLowerCase(), end: offset };
    if (offset + length > message.length) return undefined;
    labels.push(message.toString('latin1', offset, offset + length));
    offset += length;
  }
}

/**
 * Those of the addresses that are of the type asked for (A, AAAA or ANY); to other types "there is no such record of that
 * name". The question is kept as it was.
 */
export function answer(message: Buffer, query: Query, addresses: readonly string[]): Buffer {
  const records = addresses.flatMap((address) => {
    const type = isIPv6(address) ? recordTypes.aaaa : recordTypes.a;
    const isAsked = query.isInternet && (query.type === type || query.type === recordTypes.any);
    return isAsked ? [resourceRecord(type, addressBytes(address))] : [];
  });
  return withRecords(message, query, records);
}

/** The address whose name is asked for (`4.3.2.1.in-addr.arpa`, 32 digits and `ip6.arpa`); undefined for any other question. */
export function addressOfPointerQuery({ name, type, isInternet }: Query): string | undefined {
  if (!isInternet || type !== recordTypes.pointer) return undefined;
  const [, digits] = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name) ?? [];
  if (digits !== undefined) return addressText(Buffer.from(digits.split('.').reverse().join(''), 'hex'));
  return /^(\d{1,3}(?:\.\d{1,3}){3})\.in-addr\.arpa$/.exec(name)?.[1]?.split('.').reverse().join('.');
}

/** @param target Labels of at most 63 bytes, which container and network names are cut to. */
export function pointerAnswer(message: Buffer, query: Query, target: string): Buffer {
  const labels = target.split('.').map((label) => Buffer.from(label.slice(0, 63), 'latin1'));
  const encoded = Buffer.concat([...labels.flatMap((label) => [Buffer.from([label.length]), label]), Buffer.alloc(1)]);
  return withRecords(message, query, [resourceRecord(recordTypes.pointer, encoded)]);
}

/** Of the question's own name. */
function resourceRecord(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc000 | headerBytes, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(classInternet, 4);
  head.writeUInt32BE(answerTtlSeconds, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function withRecords(message: Buffer, query: Query, records: readonly Buffer[]): Buffer {
  const head = responseHead(message, query.questionEnd, responseCodes.noError);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, ...records]);
}

/** @param questionEnd Undefined when the question could not be read. */
export function failure(message: Buffer, code: number, questionEnd?: number): Buffer {
  return responseHead(message, questionEnd, code);
}

export const isTruncated = (message: Buffer): boolean => (message.readUInt16BE(2) & flag.truncated) !== 0;

/** True for an answer to just this query: same id, same question. */
export function isAnswerTo(response: Buffer, query: Buffer, id: number, questionEnd: number): boolean {
  if (response.length < headerBytes || response.readUInt16BE(0) !== id) return false;
  if ((response.readUInt16BE(2) & flag.response) === 0) return false;
  // Refusals may come without the question.
  if (response.readUInt16BE(4) === 0) return (response.readUInt16BE(2) & 0xf) !== 0;
  const question = (bytes: Buffer): string => bytes.toString('latin1', headerBytes, questionEnd).toLowerCase();
  return question(response) === question(query);
}

export function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

function responseHead(message: Buffer, questionEnd: number | undefined, code: number): Buffer {
  const head = Buffer.alloc(questionEnd ?? headerBytes);
  message.copy(head, 0, 0, head.length);
  const asked = message.readUInt16BE(2) & (0x7800 | flag.recursionDesired);
  head.writeUInt16BE(flag.response | asked | flag.recursionAvailable | code, 2);
  head.writeUInt16BE(questionEnd === undefined ? 0 : 1, 4);
  head.fill(0, 6, headerBytes);
  return head;
}
