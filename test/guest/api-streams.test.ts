/** Attach, exec, logs and events through the Engine API. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { call, createContainer, hijack, runToEnd, splitFrames, starterReady } from './engine-client.ts';

before(starterReady);

test('attach before the start: nothing is lost, input reaches the program, its end ends the stream', async (t) => {
  for (const upgrade of [true, false]) {
    const id = await createContainer(t, {
      Cmd: ['sh', '-c', 'echo first; cat; echo last >&2'],
      OpenStdin: true,
      StdinOnce: true,
    });
    const attached = await hijack(`/containers/${id}/attach?stream=1&stdin=1&stdout=1&stderr=1`, undefined, upgrade);
    assert.match(attached.head, upgrade ? /^HTTP\/1.1 101 / : /^HTTP\/1.1 200 /);
    attached.socket.end('typed\n');
    assert.equal((await call('POST', `/containers/${id}/start`)).status, 204);
    assert.deepEqual(await attached.streams(), { stdout: 'first\ntyped\n', stderr: 'last\n' });
  }
});

test('a terminal: raw bytes, a size, detach keys leave the program running', async (t) => {
  const id = await createContainer(t, { Cmd: ['sh', '-c', 'read line; stty size; cat'], Tty: true, OpenStdin: true });
  const attached = await hijack(`/containers/${id}/attach?stream=1&stdin=1&stdout=1&stderr=1`);
  await call('POST', `/containers/${id}/start`);
  assert.equal((await call('POST', `/containers/${id}/resize?h=21&w=87`)).status, 200);
  attached.socket.write('go\n');
  await attached.saw('21 87');
  attached.socket.write('\x10\x11');
  await attached.raw();
  const again = await hijack(`/containers/${id}/attach?stream=1&stdin=1&stdout=1&stderr=1`);
  again.socket.write('still here\n');
  await again.saw('still here\r\nstill here\r\n');
  again.socket.destroy();
});

test('exec: output by stream, input, exit code known when the stream ends', async (t) => {
  const id = await createContainer(t, { Cmd: ['sleep', '300'] });
  await call('POST', `/containers/${id}/start`);
  const created = await call('POST', `/containers/${id}/exec`, {
    Cmd: ['sh', '-c', 'cat; echo problem >&2; exit 9'],
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const { Id } = created.json<{ Id: string }>();
  const stream = await hijack(`/exec/${Id}/start`, { Detach: false, Tty: false });
  stream.socket.end('typed');
  assert.deepEqual(await stream.streams(), { stdout: 'typed', stderr: 'problem\n' });
  const { ExitCode, Running } = (await call('GET', `/exec/${Id}/json`)).json<{ ExitCode: number; Running: boolean }>();
  assert.deepEqual([ExitCode, Running], [9, false]);
  assert.equal((await call('POST', `/exec/${Id}/start`, {})).status, 409);
  const missing = await call('POST', `/containers/${id}/exec`, { Cmd: ['no-such'], AttachStdout: true });
  const missingId = missing.json<{ Id: string }>().Id;
  const failed = await call('POST', `/exec/${missingId}/start`, {});
  assert.equal(failed.status, 200); // As Docker: the connection is taken over first, the reason comes as output.
  assert.match(failed.body, /executable file not found in \$PATH/);
  assert.equal((await call('GET', `/exec/${missingId}/json`)).json<{ ExitCode: number }>().ExitCode, 127);
});

test('exec in a container that does not run is refused', async (t) => {
  const id = await createContainer(t, { Cmd: ['true'] });
  assert.equal((await call('POST', `/containers/${id}/exec`, { Cmd: ['true'] })).status, 409);
  assert.equal((await call('GET', '/exec/none/json')).status, 404);
});

test('following a log brings all of it, and ends with the container', async (t) => {
  const id = await createContainer(t, {
    Cmd: ['sh', '-c', 'for i in $(seq 200); do echo $i; done; sleep 1; echo end'],
  });
  await call('POST', `/containers/${id}/start`);
  const followed = await call('GET', `/containers/${id}/logs?stdout=1&follow=1`);
  const lines = splitFrames(Buffer.from(followed.body, 'utf8')).stdout.trim().split('\n');
  assert.deepEqual(lines, [...Array.from({ length: 200 }, (_, index) => String(index + 1)), 'end']);
  const tail = await call('GET', `/containers/${id}/logs?stdout=1&tail=2&timestamps=1`);
  assert.match(splitFrames(Buffer.from(tail.body)).stdout, /^\S+Z 200\n\S+Z end\n$/);
});

test('events tell a life in order; statistics and processes are of the container', async (t) => {
  const since = Math.floor(Date.now() / 1000) - 1;
  const running = await createContainer(t, { Cmd: ['sleep', '300'] });
  await call('POST', `/containers/${running}/start`);
  const top = (await call('GET', `/containers/${running}/top`)).json<{ Titles: string[]; Processes: string[][] }>();
  assert.deepEqual(top.Titles, ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']);
  assert.deepEqual(
    top.Processes.map((process) => [process[0], process.at(-1)]),
    [['root', 'sleep 300']],
  );
  const stats = (await call('GET', `/containers/${running}/stats?stream=0&one-shot=1`)).json<{
    pids_stats: { current: number };
    cpu_stats: { cpu_usage: { total_usage: number } };
  }>();
  assert.equal(stats.pids_stats.current, 1);
  assert.ok(stats.cpu_stats.cpu_usage.total_usage > 0);
  const { id } = await runToEnd(t, { Cmd: ['true'] });
  await call('DELETE', `/containers/${id}`);
  const filters = encodeURIComponent(JSON.stringify({ container: [id] }));
  const until = Math.floor(Date.now() / 1000) + 1;
  const events = await call('GET', `/events?since=${since}&until=${until}&filters=${filters}`);
  const actions = events.body
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { Action: string }).Action);
  assert.deepEqual(actions, ['create', 'start', 'die', 'destroy']);
});
