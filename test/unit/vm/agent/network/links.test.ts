import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecordingKernel } from '../../../../../vm/agent/kernel/recording-kernel.ts';
import { createLinks } from '../../../../../vm/agent/network/links.ts';

const newLink = 16;
const deleteLink = 17;
const newRoute = 24;
const bridge = { index: 3, name: 'docker0', mac: '', mtu: 1500, up: true, peer: 0, master: 0 };
const connection = {
  namespacePath: '/proc/self/ns/net',
  bridge,
  link: 'veth1',
  interfaceName: 'eth0',
  mac: '02:42:ac:11:00:02',
  mtu: 1500,
  address: '172.17.0.2',
  prefixLength: 16,
  gateway: '172.17.0.1',
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
  await Promise.all(Array.from({ length: 20 }, (_, i) => links.disconnect({ bridge, link: `veth${i}` })));
  const deletions = kernel.messages.filter(({ type }) => type === deleteLink).length;
  assert.ok(deletions <= 2, `${deletions} deletions`);
  await links.disconnect({ bridge, link: 'veth99', address: '172.17.0.9' });
  assert.equal(kernel.messages.filter(({ type }) => type === deleteLink).length, deletions + 1);
  assert.equal(kernel.openSockets, 0);
});

test('a failed batch fails those in it, and not the next', async () => {
  const kernel = createRecordingKernel();
  let broken = true;
  kernel.answerNetlink(({ type }) => (type === deleteLink && broken ? 1 : undefined));
  const links = createLinks(kernel);
  await assert.rejects(links.disconnect({ bridge, link: 'veth1' }), { code: 'EPERM' });
  broken = false;
  await links.disconnect({ bridge, link: 'veth1' });
});
