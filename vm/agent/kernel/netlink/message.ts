/** Netlink messages and attributes, to bytes and back. Numbers are in the machine's order, little-endian on all we run on. */

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Buffer;
}

export interface Attribute {
  readonly type: number;
  readonly value: Buffer;
}

const headerBytes = 16;
export const messageTypes = { error: 2, done: 3 } as const;
export const messageFlags = {
  request: 0x1,
  acknowledge: 0x4,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
} as const;
/** In an error message: attributes follow. */
const flagErrorAttributes = 0x200;
const errorAttributeMessage = 1;
/** The upper two bits of an attribute's type are flags. */
const attributeTypeMask = 0x3fff;
const nestedFlag = 0x8000;

const align = (length: number): number => (length + 3) & ~3;

export function encodeMessage(message: NetlinkMessage): Buffer {
  const length = headerBytes + message.body.length;
  const bytes = Buffer.alloc(align(length));
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt16LE(message.type, 4);
  bytes.writeUInt16LE(message.flags, 6);
  bytes.writeUInt32LE(message.sequence, 8);
  message.body.copy(bytes, headerBytes);
  return bytes;
}

/** All whole messages in `bytes`; what is cut off at the end is left out. */
export function decodeMessages(bytes: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  let offset = 0;
  while (offset + headerBytes <= bytes.length) {
    const length = bytes.readUInt32LE(offset);
    if (length < headerBytes || offset + length > bytes.length) break;
    messages.push({
      type: bytes.readUInt16LE(offset + 4),
      flags: bytes.readUInt16LE(offset + 6),
      sequence: bytes.readUInt32LE(offset + 8),
      body: bytes.subarray(offset + headerBytes, offset + length),
    });
    offset += align(length);
  }
  return messages;
}

export function attribute(type: number, value: Buffer): Buffer {
  const length = 4 + value.length;
  const bytes = Buffer.alloc(align(length));
  bytes.writeUInt16LE(length, 0);
  bytes.writeUInt16LE(type, 2);
  value.copy(bytes, 4);
  return bytes;
}

export const nested = (type: number, ...parts: readonly Buffer[]): Buffer =>
  attribute(type | nestedFlag, Buffer.concat(parts));

export const attributeString = (type: number, text: string): Buffer => attribute(type, Buffer.from(`${text}\0`));

export function attributeU32(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return attribute(type, bytes);
}

export function decodeAttributes(bytes: Buffer): Attribute[] {
  const attributes: Attribute[] = [];
  let offset = 0;
  while (offset + 4 <= bytes.length) {
    const length = bytes.readUInt16LE(offset);
    if (length < 4 || offset + length > bytes.length) break;
    attributes.push({
      type: bytes.readUInt16LE(offset + 2) & attributeTypeMask,
      value: bytes.subarray(offset + 4, offset + length),
    });
    offset += align(length);
  }
  return attributes;
}

export const findAttribute = (attributes: readonly Attribute[], type: number): Buffer | undefined =>
  attributes.find((candidate) => candidate.type === type)?.value;

export function readString(value: Buffer): string {
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}

/** The kernel's answer to one message: errno 0 is an acknowledgement. */
export interface Outcome {
  readonly sequence: number;
  readonly errno: number;
  /** The kernel's own words, when it had any. */
  readonly detail: string;
}

/** Reads an error message; undefined when it is not one. */
export function decodeOutcome(message: NetlinkMessage): Outcome | undefined {
  if (message.type !== messageTypes.error || message.body.length < 4) return undefined;
  const errno = -message.body.readInt32LE(0);
  const attributes =
    (message.flags & flagErrorAttributes) === 0 ? [] : decodeAttributes(message.body.subarray(4 + headerBytes));
  const words = findAttribute(attributes, errorAttributeMessage);
  return { sequence: message.sequence, errno, detail: words === undefined ? '' : readString(words) };
}
