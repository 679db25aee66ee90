/** The kernel's table of connections: what it remembers of address translation. */
import { addressText } from './addresses.ts';
import { attribute, decodeAttributes, findAttribute, messageFlags, nested, type NetlinkMessage } from './message.ts';
import type { NetlinkRequest } from './request.ts';

const get = (1 << 8) | 1;
const remove = (1 << 8) | 2;
const familyInet = 2;
const tuple = { original: 1, reply: 2 } as const;
const tupleParts = { ip: 1, protocol: 2 } as const;
const ip = { source: 1, destination: 2 } as const;
const protocolParts = { number: 1, destinationPort: 3 } as const;
const zone = 18;

export interface Connection {
  /** 6 = TCP, 17 = UDP. */
  readonly protocol: number;
  /** As first sent, before translation. */
  readonly destination: string;
  readonly destinationPort: number;
  /** Who really answers. */
  readonly answeredBy: string;
  /** What names it to the kernel. */
  readonly handle: Buffer;
}

export function listConnections(): NetlinkRequest {
  return { attempt: 'list tracked connections', type: get, flags: messageFlags.dump, body: header() };
}

export function decodeConnections(messages: readonly NetlinkMessage[]): Connection[] {
  return messages.flatMap(({ body }) => {
    const attributes = decodeAttributes(body.subarray(4));
    const original = findAttribute(attributes, tuple.original);
    const reply = findAttribute(attributes, tuple.reply);
    if (original === undefined || reply === undefined) return [];
    const from = decodeTuple(original);
    const zoneValue = findAttribute(attributes, zone);
    return [
      {
        protocol: from.protocol,
        destination: from.destination,
        destinationPort: from.destinationPort,
        answeredBy: decodeTuple(reply).source,
        handle: Buffer.concat([
          nested(tuple.original, original),
          ...(zoneValue === undefined ? [] : [attribute(zone, zoneValue)]),
        ]),
      },
    ];
  });
}

export function deleteConnection(connection: Connection): NetlinkRequest {
  return {
    attempt: `forget the connection to ${connection.destination}:${connection.destinationPort}`,
    type: remove,
    flags: messageFlags.acknowledge,
    body: Buffer.concat([header(), connection.handle]),
    expected: ['ENOENT'],
  };
}

function decodeTuple(bytes: Buffer) {
  const parts = decodeAttributes(bytes);
  const addresses = decodeAttributes(findAttribute(parts, tupleParts.ip) ?? Buffer.alloc(0));
  const ports = decodeAttributes(findAttribute(parts, tupleParts.protocol) ?? Buffer.alloc(0));
  const port = findAttribute(ports, protocolParts.destinationPort);
  return {
    source: addressText(findAttribute(addresses, ip.source) ?? Buffer.alloc(0)),
    destination: addressText(findAttribute(addresses, ip.destination) ?? Buffer.alloc(0)),
    protocol: findAttribute(ports, protocolParts.number)?.[0] ?? 0,
    destinationPort: port?.length === 2 ? port.readUInt16BE() : 0,
  };
}

function header(): Buffer {
  return Buffer.from([familyInet, 0, 0, 0]);
}
