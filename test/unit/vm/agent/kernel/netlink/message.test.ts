import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import {
  attributeString,
  attributeU32,
  decodeAttributes,
  decodeMessages,
  decodeOutcome,
  encodeMessage,
  findAttribute,
  nested,
  readString,
} from '../../../../../../vm/agent/kernel/netlink/message.ts';
import { decodeConnections } from '../../../../../../vm/agent/kernel/netlink/conntrack.ts';
import { changeElements, concatenation } from '../../../../../../vm/agent/kernel/netlink/nftables.ts';
import {
  addAddress,
  decodeAddresses,
  decodeDefaultRoute,
  decodeLinks,
} from '../../../../../../vm/agent/kernel/netlink/route.ts';

test('messages and attributes come back as they went', () => {
  const body = Buffer.concat([
    attributeString(3, 'eth0'),
    attributeU32(4, 1500),
    nested(18, attributeString(1, 'veth')),
  ]);
  const messages = [
    { type: 16, flags: 5, sequence: 7, body },
    { type: 3, flags: 2, sequence: 8, body: Buffer.from([1]) },
  ];
  const [first, second] = decodeMessages(Buffer.concat(messages.map(encodeMessage)));
  assert.deepEqual([first?.type, first?.flags, first?.sequence, second?.sequence], [16, 5, 7, 8]);
  assert.deepEqual(second?.body, Buffer.from([1]));
  const attributes = decodeAttributes(first?.body ?? Buffer.alloc(0));
  assert.equal(readString(findAttribute(attributes, 3) ?? Buffer.alloc(0)), 'eth0');
  assert.equal(findAttribute(attributes, 4)?.readUInt32LE(), 1500);
  const inner = decodeAttributes(findAttribute(attributes, 18) ?? Buffer.alloc(0));
  assert.equal(readString(inner[0]?.value ?? Buffer.alloc(0)), 'veth');
});

test('a refusal carries the words of the kernel', () => {
  const body = Buffer.concat([Buffer.alloc(20), attributeString(1, 'Invalid prefix for given prefix length')]);
  body.writeInt32LE(-22);
  assert.deepEqual(decodeOutcome({ type: 2, flags: 0x200, sequence: 4, body }), {
    sequence: 4,
    errno: 22,
    detail: 'Invalid prefix for given prefix length',
  });
  assert.equal(decodeOutcome({ type: 16, flags: 0, sequence: 4, body }), undefined);
});

test('an address to add: the bytes that the kernel wants', () => {
  const { body } = addAddress(5, '172.17.0.2', 16);
  assert.equal(body.toString('hex'), '0210000005000000' + '08000100ac110002' + '08000200ac110002' + '08000400ac11ffff');
  assert.throws(() => addAddress(5, '172.17.0', 16), TypeError);
});

test('an element to add: fields of a concatenation start at multiples of four bytes', () => {
  assert.equal(concatenation(Buffer.from([6]), Buffer.from([0xc0, 0x00])).toString('hex'), '06000000c0000000');
  const requests = changeElements([
    {
      action: 'add',
      table: 'wherry',
      set: 's',
      element: { key: Buffer.alloc(4), data: Buffer.alloc(4) },
      attempt: 'a',
    },
    {
      action: 'delete',
      table: 'wherry',
      set: 's',
      element: { key: Buffer.alloc(4), data: Buffer.alloc(4) },
      attempt: 'd',
    },
  ]);
  assert.deepEqual(
    requests.map(({ type }) => type),
    [0x10, 0xa0c, 0xa0e, 0x11],
  );
  assert.equal(requests[0]?.body.toString('hex'), '0000000a');
});

test('answers cut off or made of anything are read without a throw', () => {
  for (let i = 0; i < 5000; i++) {
    const bytes = randomBytes(randomInt(120));
    if (bytes.length > 16) {
      bytes.writeUInt32LE(randomInt(bytes.length + 8), 0);
      bytes.writeUInt16LE([2, 3, 16, 20, 24, 256][randomInt(6)] ?? 0, 4);
    }
    const messages = decodeMessages(bytes);
    messages.map(decodeOutcome);
    decodeLinks(messages);
    decodeAddresses(messages);
    decodeDefaultRoute(messages);
    decodeConnections(messages);
  }
});
