/** rtnetlink: links, addresses, routes and neighbours. */
import { addressBytes, addressText } from './addresses.ts';
import {
  attribute,
  attributeString,
  attributeU32,
  decodeAttributes,
  findAttribute,
  messageFlags,
  nested,
  type NetlinkMessage,
  readString,
} from './message.ts';
import type { NetlinkRequest } from './request.ts';

const types = {
  newLink: 16,
  delLink: 17,
  getLink: 18,
  setLink: 19,
  newAddress: 20,
  delAddress: 21,
  getAddress: 22,
  newRoute: 24,
  getRoute: 26,
  delNeighbour: 29,
  getNeighbour: 30,
} as const;
const link = {
  address: 1,
  name: 3,
  mtu: 4,
  /** Of a pair: the other end. Else: the link below. */
  parent: 5,
  master: 10,
  info: 18,
  afSpec: 26,
  group: 27,
  namespaceDescriptor: 28,
} as const;
const linkInfo = { kind: 1, data: 2, slaveKind: 4, slaveData: 5 } as const;
const bridgePortIsolated = 33;
const vethPeer = 1;
const macvlanMode = 1;
const ipvlan = { mode: 1, flags: 2 } as const;
const macvlanModes = { private: 1, vepa: 2, bridge: 4 } as const;
const ipvlanModes = { l2: 0, l3: 1, l3s: 2 } as const;
const ipvlanFlags = { bridge: 0, private: 1, vepa: 2 } as const;
const inet6AddressGeneration = 8;
const inet6None = 1;
const addressPart = { address: 1, local: 2, broadcast: 4 } as const;
const noDuplicateDetection = 2;
const familyAny = 0;
const familyInet = 2;
const familyInet6 = 10;
const flagUp = 1;
const tableMain = 254;
const { acknowledge, dump, create, exclusive, replace } = messageFlags;

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  /** Of a pair: index of the other end, in its namespace; or 0. */
  readonly peer: number;
  /** Index of the bridge it is a port of, or 0. */
  readonly master: number;
}

export interface Address {
  readonly index: number;
  readonly address: string;
  readonly prefixLength: number;
}

export function createBridge(name: string, options: { readonly mac: string; readonly mtu: number }): NetlinkRequest {
  const bridge = createLink(
    name,
    attribute(link.address, macBytes(options.mac)),
    attributeU32(link.mtu, options.mtu),
    nested(link.info, attributeString(linkInfo.kind, 'bridge')),
  );
  return { ...bridge, attempt: `create bridge ${name}` };
}

export interface VethRequest {
  readonly name: string;
  /** Index of the bridge it becomes a port of. */
  readonly master: number;
  readonly mtu: number;
  /** The other end, made in the network namespace behind the descriptor. */
  readonly peer: { readonly name: string; readonly mac: string; readonly namespaceDescriptor: number };
}

/** A pair of connected links, both down. */
export function createVeth(request: VethRequest): NetlinkRequest {
  const peer = Buffer.concat([
    linkHeader(0),
    attributeString(link.name, request.peer.name),
    attribute(link.address, macBytes(request.peer.mac)),
    attributeU32(link.mtu, request.mtu),
    attributeU32(link.namespaceDescriptor, request.peer.namespaceDescriptor),
  ]);
  return createLink(
    request.name,
    attributeU32(link.mtu, request.mtu),
    attributeU32(link.master, request.master),
    nested(link.info, attributeString(linkInfo.kind, 'veth'), nested(linkInfo.data, nested(vethPeer, peer))),
  );
}

/** A link that leads nowhere, for others to share. */
export function createDummy(name: string, mtu: number): NetlinkRequest {
  return createLink(name, attributeU32(link.mtu, mtu), nested(link.info, attributeString(linkInfo.kind, 'dummy')));
}

/** How links that share one parent are told apart: by MAC address, or by IP address (ip-link(8), `macvlan` and `ipvlan`). */
export type SharedLinkKind =
  | { readonly driver: 'macvlan'; readonly mode: keyof typeof macvlanModes }
  | { readonly driver: 'ipvlan'; readonly mode: keyof typeof ipvlanModes; readonly flag: keyof typeof ipvlanFlags };

export interface SharedLinkRequest {
  readonly name: string;
  /** Index of the parent, in the namespace that is asked. */
  readonly parent: number;
  readonly kind: SharedLinkKind;
  /** Not with `ipvlan`, whose links have their parent's. */
  readonly mac: string;
  readonly mtu: number;
  /** Where it is made; undefined: in the namespace that is asked. */
  readonly namespaceDescriptor?: number;
}

/** Down. */
export function createSharedLink({ kind, ...request }: SharedLinkRequest): NetlinkRequest {
  const data =
    kind.driver === 'macvlan'
      ? attributeU32(macvlanMode, macvlanModes[kind.mode])
      : Buffer.concat([
          attribute(ipvlan.mode, u16(ipvlanModes[kind.mode])),
          attribute(ipvlan.flags, u16(ipvlanFlags[kind.flag])),
        ]);
  return createLink(
    request.name,
    attributeU32(link.parent, request.parent),
    attributeU32(link.mtu, request.mtu),
    ...(kind.driver === 'macvlan' ? [attribute(link.address, macBytes(request.mac))] : []),
    ...(request.namespaceDescriptor === undefined
      ? []
      : [attributeU32(link.namespaceDescriptor, request.namespaceDescriptor)]),
    nested(link.info, attributeString(linkInfo.kind, kind.driver), nested(linkInfo.data, data)),
  );
}

export function setLinkUp(name: string): NetlinkRequest {
  return changeLink(`set link ${name} up`, Buffer.concat([linkHeader(0, flagUp), attributeString(link.name, name)]));
}

/**
 * Before it is set up: else the kernel gives it an IPv6 link-local address, by which services of the other side could be
 * reached. Succeeds on a kernel without IPv6.
 */
export function withoutInet6(name: string): NetlinkRequest {
  const none = attribute(inet6AddressGeneration, Buffer.from([inet6None]));
  return {
    ...changeLink(
      `keep IPv6 addresses off link ${name}`,
      Buffer.concat([linkHeader(0), attributeString(link.name, name), nested(link.afSpec, nested(familyInet6, none))]),
    ),
    expected: ['EAFNOSUPPORT'],
  };
}

/** A bridge's port that exchanges frames with the bridge itself only, not with other isolated ports (bridge(8), `isolated`). */
export function isolatePort(name: string): NetlinkRequest {
  const on = attribute(bridgePortIsolated, Buffer.from([1]));
  return {
    attempt: `isolate link ${name} on its bridge`,
    type: types.newLink,
    flags: acknowledge,
    body: Buffer.concat([
      linkHeader(0),
      attributeString(link.name, name),
      nested(link.info, attributeString(linkInfo.slaveKind, 'bridge'), nested(linkInfo.slaveData, on)),
    ]),
  };
}

export function setLinkMac(name: string, mac: string): NetlinkRequest {
  return changeLink(
    `set address ${mac} of link ${name}`,
    Buffer.concat([linkHeader(0), attributeString(link.name, name), attribute(link.address, macBytes(mac))]),
  );
}

/** Of a link that is down. */
export function setLinkName(index: number, name: string): NetlinkRequest {
  return changeLink(`name link ${index} ${name}`, Buffer.concat([linkHeader(index), attributeString(link.name, name)]));
}

export function deleteLink(name: string): NetlinkRequest {
  return dropLink(`delete link ${name}`, Buffer.concat([linkHeader(0), attributeString(link.name, name)]));
}

export function deleteLinkAt(index: number): NetlinkRequest {
  return dropLink(`delete link ${index}`, linkHeader(index));
}

export function setLinkGroup(name: string, group: number): NetlinkRequest {
  return {
    ...changeLink(
      `put link ${name} in group ${group}`,
      Buffer.concat([linkHeader(0), attributeString(link.name, name), attributeU32(link.group, group)]),
    ),
    expected: ['ENODEV'],
  };
}

/** All links of a group at once: the kernel's long wait for their last user is then but one. */
export function deleteLinkGroup(group: number): NetlinkRequest {
  return dropLink(
    `delete the links of group ${group}`,
    Buffer.concat([linkHeader(0), attributeU32(link.group, group)]),
  );
}

/** Answers with one link, or nothing when there is none of that name. */
export function getLink(name: string): NetlinkRequest {
  return {
    attempt: `look up link ${name}`,
    type: types.getLink,
    flags: acknowledge,
    body: Buffer.concat([linkHeader(0), attributeString(link.name, name)]),
    expected: ['ENODEV'],
  };
}

export function listLinks(): NetlinkRequest {
  return { attempt: 'list links', type: types.getLink, flags: dump, body: linkHeader(0) };
}

export function decodeLinks(messages: readonly NetlinkMessage[]): Link[] {
  return messages.flatMap(({ type, body }) => {
    if (type !== types.newLink || body.length < 16) return [];
    const attributes = decodeAttributes(body.subarray(16));
    const name = findAttribute(attributes, link.name);
    const mac = findAttribute(attributes, link.address);
    return [
      {
        index: body.readInt32LE(4),
        name: name === undefined ? '' : readString(name),
        mac: mac === undefined ? '' : [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':'),
        mtu: findAttribute(attributes, link.mtu)?.readUInt32LE(0) ?? 0,
        up: (body.readUInt32LE(8) & flagUp) !== 0,
        peer: findAttribute(attributes, link.parent)?.readUInt32LE(0) ?? 0,
        master: findAttribute(attributes, link.master)?.readUInt32LE(0) ?? 0,
      },
    ];
  });
}

/** One of IPv6 is there at once: nobody is asked first whether he has it (RFC 4862, 5.4), as addresses are given away once. */
export function addAddress(index: number, address: string, prefixLength: number): NetlinkRequest {
  const bytes = addressBytes(address);
  const isInet6 = familyOf(bytes) === familyInet6;
  return {
    attempt: `add address ${address}/${prefixLength} to link ${index}`,
    type: types.newAddress,
    flags: acknowledge | create | replace,
    body: Buffer.concat([
      addressHeader({ index, prefixLength, family: familyOf(bytes), flags: isInet6 ? noDuplicateDetection : 0 }),
      attribute(addressPart.address, bytes),
      ...(isInet6
        ? []
        : [attribute(addressPart.local, bytes), attribute(addressPart.broadcast, broadcastOf(bytes, prefixLength))]),
    ]),
  };
}

function broadcastOf(address: Buffer, prefixLength: number): Buffer {
  const broadcast = Buffer.alloc(4);
  broadcast.writeUInt32BE((address.readUInt32BE() | (2 ** (32 - prefixLength) - 1)) >>> 0);
  return broadcast;
}

export function deleteAddress({ index, address, prefixLength }: Address): NetlinkRequest {
  const bytes = addressBytes(address);
  return {
    attempt: `delete address ${address}/${prefixLength} of link ${index}`,
    type: types.delAddress,
    flags: acknowledge,
    body: Buffer.concat([
      addressHeader({ index, prefixLength, family: familyOf(bytes) }),
      attribute(addressPart.local, bytes),
    ]),
    expected: ['EADDRNOTAVAIL'],
  };
}

/** Of both families and all links. */
export function listAddresses(): NetlinkRequest {
  const body = addressHeader({ index: 0, prefixLength: 0, family: familyAny });
  return { attempt: 'list addresses', type: types.getAddress, flags: dump, body };
}

export function decodeAddresses(messages: readonly NetlinkMessage[]): Address[] {
  return messages.flatMap(({ type, body }) => {
    if (type !== types.newAddress || body.length < 8) return [];
    const attributes = decodeAttributes(body.subarray(8));
    const bytes = findAttribute(attributes, addressPart.local) ?? findAttribute(attributes, addressPart.address);
    if (bytes === undefined || body[0] !== familyOf(bytes)) return [];
    return [{ index: body.readUInt32LE(4), address: addressText(bytes), prefixLength: body.readUInt8(1) }];
  });
}

/** Of the gateway's family. */
export function addDefaultRoute(gateway: string): NetlinkRequest {
  const bytes = addressBytes(gateway);
  const header = Buffer.alloc(12);
  header.set([familyOf(bytes), 0, 0, 0, tableMain, 3, 0, 1]);
  return {
    attempt: `add default route by ${gateway}`,
    type: types.newRoute,
    flags: acknowledge | create | replace,
    body: Buffer.concat([header, attribute(5, bytes)]),
  };
}

/** Of IPv4. */
export function listRoutes(): NetlinkRequest {
  const header = Buffer.alloc(12);
  header.set([familyInet]);
  return { attempt: 'list routes', type: types.getRoute, flags: dump, body: header };
}

/** Index of the link that the default route leaves by. */
export function decodeDefaultRoute(messages: readonly NetlinkMessage[]): number | undefined {
  for (const { type, body } of messages) {
    if (type !== types.newRoute || body.length < 12) continue;
    const [family, prefixLength, , , table] = body;
    if (family !== familyInet || prefixLength !== 0 || table !== tableMain) continue;
    const index = findAttribute(decodeAttributes(body.subarray(12)), 4)?.readUInt32LE(0);
    if (index !== undefined) return index;
  }
  return undefined;
}

/** Forgets what is known of a neighbour, so that the next packet asks anew. */
export function deleteNeighbour(index: number, address: string): NetlinkRequest {
  const bytes = addressBytes(address);
  const header = Buffer.alloc(12);
  header.set([familyOf(bytes)]);
  header.writeInt32LE(index, 4);
  return {
    attempt: `delete neighbour ${address} of link ${index}`,
    type: types.delNeighbour,
    flags: acknowledge,
    body: Buffer.concat([header, attribute(1, bytes)]),
    expected: ['ENOENT'],
  };
}

/** `02:42:ac:11:00:02` */
function macBytes(mac: string): Buffer {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac)) throw new TypeError(`not a MAC address: ${mac}`);
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

const familyOf = (address: Buffer): number => (address.length === 16 ? familyInet6 : familyInet);

function linkHeader(index: number, flags = 0): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32LE(index, 4);
  header.writeUInt32LE(flags, 8);
  header.writeUInt32LE(flags, 12);
  return header;
}

function addressHeader(address: {
  readonly index: number;
  readonly prefixLength: number;
  readonly family: number;
  readonly flags?: number;
}): Buffer {
  const header = Buffer.alloc(8);
  header.set([address.family, address.prefixLength, address.flags ?? 0]);
  header.writeUInt32LE(address.index, 4);
  return header;
}

function createLink(name: string, ...attributes: readonly Buffer[]): NetlinkRequest {
  return {
    attempt: `create link ${name}`,
    type: types.newLink,
    flags: acknowledge | create | exclusive,
    body: Buffer.concat([linkHeader(0), attributeString(link.name, name), ...attributes]),
  };
}

function changeLink(attempt: string, body: Buffer): NetlinkRequest {
  return { attempt, type: types.setLink, flags: acknowledge, body };
}

/** Succeeds when there is none. */
function dropLink(attempt: string, body: Buffer): NetlinkRequest {
  return { attempt, type: types.delLink, flags: acknowledge, body, expected: ['ENODEV'] };
}
