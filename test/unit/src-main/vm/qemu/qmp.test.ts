import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Qmp, type QmpEvent } from '../../../../../src-main/vm/qemu/qmp.ts';
import { startFakeQmp } from '../../../../helpers/fake-qmp.ts';

test('greeting, capabilities, then commands answered by id in any order', async () => {
  const held: (() => void)[] = [];
  await using server = await startFakeQmp(({ execute, id }) => {
    if (execute === 'slow') {
      held.push(() => server.send(`{"return": "slow", "id": ${id}}\n`));
      return undefined;
    }
    held.pop()?.();
    return { return: 'quick' };
  });
  await using qmp = await Qmp.connect({ path: server.path }, 5000);
  assert.equal(qmp.version, '7.2.22');
  const slow = qmp.run('slow');
  assert.equal(await qmp.run('quick', { a: 1 }), 'quick');
  assert.equal(await slow, 'slow');
  assert.deepEqual(
    server.commands.map((command) => command.execute),
    ['qmp_capabilities', 'slow', 'quick'],
  );
});

test('an error carries QEMU’s own words', async () => {
  await using server = await startFakeQmp(() => ({ error: { class: 'GenericError', desc: 'Device data is locked' } }));
  await using qmp = await Qmp.connect({ path: server.path }, 5000);
  await assert.rejects(qmp.run('block_resize'), { code: 'vm-failed', message: 'block_resize: Device data is locked' });
});

test('events and answers arrive whole, however they are cut', async () => {
  await using server = await startFakeQmp(() => ({ return: {} }));
  await using qmp = await Qmp.connect({ path: server.path }, 5000);
  const events: QmpEvent[] = [];
  const seen = new Promise<void>((resolve) => {
    qmp.onEvent((event) => {
      events.push(event);
      if (events.length === 2) resolve();
    });
  });
  const text = '{"event": "SHUTDOWN", "data": {"guest": true}}\r\n{"event": "STOP"}\r\n';
  for (const byte of text) {
    server.send(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await seen;
  assert.deepEqual(events, [
    { name: 'SHUTDOWN', data: { guest: true } },
    { name: 'STOP', data: {} },
  ]);
});

test('the monitor’s end fails what was asked and what comes after', async () => {
  await using server = await startFakeQmp(() => undefined);
  await using qmp = await Qmp.connect({ path: server.path }, 5000);
  const closed = new Promise<void>((resolve) => qmp.onClosed(resolve));
  const refused = assert.rejects(qmp.run('query-status'), { code: 'vm-failed' });
  server.cut();
  await refused;
  await closed;
  await assert.rejects(qmp.run('query-status'), { code: 'vm-failed' });
  await new Promise<void>((resolve) => qmp.onClosed(resolve));
});

test('a monitor that says nothing, or not QMP, is no monitor', async () => {
  await using mute = await startFakeQmp(() => undefined, '');
  await assert.rejects(Qmp.connect({ path: mute.path }, 100), { code: 'deadline' });
  await using other = await startFakeQmp(() => undefined, 'SSH-2.0-OpenSSH\r\n');
  await assert.rejects(Qmp.connect({ path: other.path }, 5000), { code: 'unavailable' });
  await assert.rejects(Qmp.connect({ path: '/nonexistent/qmp.sock' }, 5000), { code: 'unavailable' });
});

test('garbage in the middle ends the connection', async () => {
  await using server = await startFakeQmp(() => undefined);
  await using qmp = await Qmp.connect({ path: server.path }, 5000);
  const refused = assert.rejects(qmp.run('query-status'), { code: 'vm-failed' });
  server.send('{"neither": 1}\n');
  await refused;
});

test('a cancelled command does not wait for its answer', async () => {
  await using server = await startFakeQmp(() => undefined);
  await using qmp = await Qmp.connect({ path: server.path }, 5000);
  const controller = new AbortController();
  const refused = assert.rejects(qmp.run('query-status', {}, controller.signal), { message: 'enough' });
  controller.abort(new Error('enough'));
  await refused;
});
