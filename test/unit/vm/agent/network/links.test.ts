import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressText } from '../../../../../vm/agent/kernel/netlink/addresses.ts';
import { addAddress } from '../../../../../vm/agent/kernel/netlink/route.ts';
import { createRecordingKernel } from '../../../../../vm/agent/kernel/recording-kernel.ts';
import { createLinks } from '../../../../../vm/agent/network/links.ts';

const newLink = 16;
const setLink = 19;
const deleteLink = 17;
const getLink = 18;
const newAddress = 20;
const deleteAddress = 21;
const getAddress = 22;
const newRoute = 24;
const bridge = { index: 3, name: 'docker0', mac: '', mtu: 1500, up: true, peer: 0, master: 0 };
/** Of the bridge, as the kernel describes it. */
const linkBody = Buffer.alloc(16);
linkBody.writeInt32LE(bridge.index, 4);
const connection = {
  namespacePath: '/proc/self/ns/net',
  bridge,
  link: 'veth1',
  interfaceName: 'eth0',
  mac: '02:42:ac:11:00:02',
  mtu: 1500,
  addresses: [{ address: '172.17.0.2', prefixLength: 16 }],
  gateways: ['172.17.0.1'],
  isolated: false,
};

test('a connection is two exchanges; what is of the container happens in its namespace', async () => {
  const kernel = createRecordingKernel();
  const links = createLinks(kernel);
  await links.connect(connection);
  const there = kernel.messages.filter(({ namespacePath }) => namespacePath !== undefined);
  assert.equal(there.at(-1)?.type, newRoute);
  assert.ok(kernel.messages.some(({ type, namespacePath }) => type === newLink && namespacePath === undefined));
  assert.equal(kernel.openSockets, 1, 'only our own stays open');
  links.close();
});

test('an isolated link is so before it is up', async () => {
  const kernel = createRecordingKernel();
  const links = createLinks(kernel);
  await links.connect({ ...connection, isolated: true });
  const own = kernel.messages.filter(({ namespacePath }) => namespacePath === undefined);
  const isolating = own.findIndex(({ body }) => body.includes('bridge'));
  const up = own.findIndex(({ type, body }) => type === setLink && body.readUInt32LE(8) === 1);
  assert.ok(isolating > 0 && isolating < up, `${isolating} ${up}`);
  links.close();
});

test('IPv6: a link-local address beside the given one, both at once, and a default route for each family', async () => {
  const kernel = createRecordingKernel();
  const links = createLinks(kernel);
  await links.connect({
    ...connection,
    addresses: [...connection.addresses, { address: 'fd00::2', prefixLength: 64 }],
    gateways: [...connection.gateways, 'fd00::1'],
  });
  const inet6 = kernel.messages.filter(({ type, body }) => [newAddress, newRoute].includes(type) && body[0] === 10);
  const noDuplicateDetection = 2;
  assert.deepEqual(
    inet6.map(({ type, body }) => [type, type === newAddress ? body[2] : 0, addressText(body.subarray(-16))]),
    [
      [newAddress, noDuplicateDetection, 'fd00::2'],
      [newAddress, noDuplicateDetection, 'fe80::42:acff:fe11:2'],
      [newRoute, 0, 'fd00::1'],
    ],
  );
  links.close();
});

test('a bridge has its addresses and no others', async () => {
  const kernel = createRecordingKernel();
  const shown = (address: string, prefixLength: number): { type: number; body: Buffer } => {
    const { body } = addAddress(bridge.index, address, prefixLength);
    return { type: newAddress, body };
  };
  kernel.answerNetlink(({ type }) => {
    if (type === getLink) return [{ type: newLink, body: linkBody }];
    return type === getAddress ? [shown('172.17.0.1', 16), shown('fd00::1', 64), shown('fd99::1', 64)] : undefined;
  });
  const links = createLinks(kernel);
  const addresses = [
    { address: '172.17.0.1', prefixLength: 16 },
    { address: 'fd00::1', prefixLength: 64 },
  ];
  await links.ensureBridge({ name: 'docker0', addresses, mac: '02:42:ac:11:00:01', mtu: 1500 });
  const texts = (wanted: number): string[] =>
    kernel.messages
      .filter(({ type }) => type === wanted)
      .map(({ body }) => addressText(body.subarray(12, body[0] === 10 ? 28 : 16)));
  assert.deepEqual(texts(deleteAddress), ['fd99::1']);
  assert.deepEqual(texts(newAddress), ['172.17.0.1', 'fd00::1', 'fe80::1']);
  links.close();
});

test('when the container refuses something, the link is taken away again', async () => {
  const kernel = createRecordingKernel();
  kernel.answerNetlink(({ type }) => (type === newRoute ? 101 : undefined));
  const links = createLinks(kernel);
  await assert.rejects(links.connect(connection), /add default route by 172\.17\.0\.1: ENETUNREACH/);
  assert.equal(kernel.messages.at(-1)?.type, deleteLink);
  assert.equal(kernel.openSockets, 1);
});

test('when taking it away fails too, both are told, the first first', async () => {
  const kernel = createRecordingKernel();
  kernel.answerNetlink(({ type }) => (type === newRoute ? 101 : type === deleteLink ? 16 : undefined));
  await assert.rejects(createLinks(kernel).connect(connection), (error) => {
    assert.ok(error instanceof AggregateError);
    assert.deepEqual(
      error.errors.map((one: { code?: string }) => one.code),
      ['ENETUNREACH', 'EBUSY'],
    );
    return true;
  });
});

test('many links leave in one message; those that come meanwhile in the next', async () => {
  const kernel = createRecordingKernel();
  const links = createLinks(kernel);
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => links.disconnect({ bridge, link: `veth${i}`, addresses: [] })),
  );
  const deletions = kernel.messages.filter(({ type }) => type === deleteLink).length;
  assert.ok(deletions <= 2, `${deletions} deletions`);
  await links.disconnect({ bridge, link: 'veth99', addresses: ['172.17.0.9', 'fd00::9'] });
  assert.equal(kernel.messages.filter(({ type }) => type === deleteLink).length, deletions + 1);
  assert.equal(kernel.openSockets, 0);
});

test('a failed batch fails those in it, and not the next', async () => {
  const kernel = createRecordingKernel();
  let broken = true;
  kernel.answerNetlink(({ type }) => (type === deleteLink && broken ? 1 : undefined));
  const links = createLinks(kernel);
  await assert.rejects(links.disconnect({ bridge, link: 'veth1', addresses: [] }), { code: 'EPERM' });
  broken = false;
  await links.disconnect({ bridge, link: 'veth1', addresses: [] });
});
