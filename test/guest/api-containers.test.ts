/** Containers through the Engine API, on the real runtime: lives, limits, words and leftovers. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { call, createContainer, logsOf, runToEnd, starterReady } from './engine-client.ts';

before(starterReady);

interface Inspect {
  readonly State: {
    readonly Status: string;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Error: string;
  };
  readonly RestartCount: number;
  readonly HostsPath: string;
  readonly NetworkSettings: { readonly IPAddress: string };
}

async function inspect(id: string): Promise<Inspect> {
  return (await call('GET', `/containers/${id}/json`)).json<Inspect>();
}

test('a program runs as root of its own user namespace, and says how it ended', async (t) => {
  const ran = await runToEnd(t, { Cmd: ['sh', '-c', 'id -u; cat /proc/self/uid_map; echo wrong >&2; exit 7'] });
  assert.equal(ran.exitCode, 7);
  assert.match(ran.stdout, /^0\n\s+0\s+1\d{5,}\s+65536\n$/);
  assert.equal(ran.stderr, 'wrong\n');
  assert.equal((await inspect(ran.id)).State.Status, 'exited');
});

test('a program that is not there is 127, one that cannot be executed 126, and nothing is left', async (t) => {
  for (const [command, code, words] of [
    ['no-such-program', 127, /executable file not found in \$PATH/],
    ['/etc/passwd', 126, /permission denied/],
  ] as const) {
    const id = await createContainer(t, { Cmd: [command] });
    const started = await call('POST', `/containers/${id}/start`);
    assert.equal(started.status, 400);
    assert.match(started.body, words);
    const { State } = await inspect(id);
    assert.deepEqual([State.Status, State.ExitCode], ['created', code]);
    assert.match(State.Error, words);
    assert.equal(existsSync(`/sys/fs/cgroup/wherry/${id}`), false);
  }
});

test('what cannot be: words and statuses', async (t) => {
  const id = await createContainer(t, { Cmd: ['sleep', '60'] }, 'api-taken');
  const taken = await call('POST', '/containers/create?name=api-taken', { Image: 'wherry/starter', Cmd: ['true'] });
  assert.deepEqual(
    [taken.status, taken.json()],
    [
      409,
      {
        message: `Conflict. The container name "/api-taken" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
      },
    ],
  );
  const noImage = await call('POST', '/containers/create', { Image: 'no/such-image', Cmd: ['true'] });
  assert.deepEqual([noImage.status, noImage.json()], [404, { message: 'No such image: no/such-image:latest' }]);
  assert.equal(
    (await call('POST', '/containers/create', { Image: 'wherry/starter', HostConfig: { Memory: 1 } })).status,
    400,
  );
  assert.equal((await call('POST', '/containers/nobody/start')).status, 404);
  assert.equal((await call('POST', `/containers/${id}/kill`)).status, 409);
  assert.equal((await call('POST', `/containers/${id}/start`)).status, 204);
  assert.equal((await call('POST', `/containers/${id}/start`)).status, 304);
  assert.equal((await call('DELETE', `/containers/${id}`)).status, 409);
});

test('stop asks, then kills; pause freezes; a removed container leaves no file, mount or cgroup', async (t) => {
  const id = await createContainer(t, { Cmd: ['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done'] });
  await call('POST', `/containers/${id}/start`);
  const { State, HostsPath, NetworkSettings } = await inspect(id);
  assert.match(readFileSync(HostsPath, 'utf8'), new RegExp(`^${NetworkSettings.IPAddress}\\s`, 'm'));
  assert.equal((await call('POST', `/containers/${id}/pause`)).status, 204);
  assert.equal((await inspect(id)).State.Status, 'paused');
  assert.equal((await call('POST', `/containers/${id}/unpause`)).status, 204);
  assert.equal((await call('POST', `/containers/${id}/stop?t=0`)).status, 204);
  assert.equal((await inspect(id)).State.ExitCode, 137);
  assert.equal(existsSync(`/proc/${State.Pid}`), false);
  assert.equal((await call('DELETE', `/containers/${id}`)).status, 204);
  assert.equal(existsSync(HostsPath), false);
  assert.equal(existsSync(`/sys/fs/cgroup/wherry/${id}`), false);
  assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(id));
});

test('more memory than allowed: killed, and said so', async (t) => {
  const hungry = ['sh', '-c', 'x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done'];
  const ran = await runToEnd(t, { Cmd: hungry, HostConfig: { Memory: 16 * 1024 ** 2, MemorySwap: 16 * 1024 ** 2 } });
  assert.equal(ran.exitCode, 137);
  assert.equal((await inspect(ran.id)).State.OOMKilled, true);
});

test('a fork bomb is held by its limit, and its neighbour answers', async (t) => {
  const bomb = await createContainer(t, { Cmd: ['sh', '-c', 'f() { f | f & }; f'], HostConfig: { PidsLimit: 32 } });
  await call('POST', `/containers/${bomb}/start`);
  const neighbour = await runToEnd(t, { Cmd: ['echo', 'well'] });
  assert.equal(neighbour.stdout, 'well\n');
  assert.equal((await call('DELETE', `/containers/${bomb}?force=1`)).status, 204);
});

test('on-failure restarts as often as asked; --rm removes', async (t) => {
  const id = await createContainer(t, {
    Cmd: ['sh', '-c', 'echo again; exit 3'],
    HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } },
  });
  const waited = call('POST', `/containers/${id}/wait?condition=next-exit`);
  await call('POST', `/containers/${id}/start`);
  assert.deepEqual((await waited).json(), { StatusCode: 3 });
  assert.equal((await logsOf(id)).stdout, 'again\nagain\nagain\n');
  assert.equal((await inspect(id)).RestartCount, 2);
  const gone = await createContainer(t, { Cmd: ['true'], HostConfig: { AutoRemove: true } });
  const removed = call('POST', `/containers/${gone}/wait?condition=removed`);
  await call('POST', `/containers/${gone}/start`);
  assert.deepEqual((await removed).json(), { StatusCode: 0 });
  assert.equal((await call('GET', `/containers/${gone}/json`)).status, 404);
});

test('a named volume is filled from the image once, shared, and outlives its containers', async (t) => {
  t.after(() => call('DELETE', '/volumes/api-volume'));
  const [file] = (await runToEnd(t, { Cmd: ['ls', '/www'] })).stdout.split('\n');
  assert.ok(file !== undefined && file !== '');
  const write = `ls -ln /www/${file} && echo mine > /www/new && rm /www/${file}`;
  const first = await runToEnd(t, { Cmd: ['sh', '-c', write], HostConfig: { Binds: ['api-volume:/www'] } });
  assert.equal(first.exitCode, 0, first.stderr);
  assert.match(first.stdout, /^\S+\s+1\s+0\s+0\s/);
  const second = await runToEnd(t, {
    Cmd: ['sh', '-c', 'cat /data/new; ls -n /data'],
    HostConfig: { Binds: ['api-volume:/data:ro'] },
  });
  assert.match(second.stdout, /^mine\n/);
  assert.match(second.stdout, /\s0\s+0\s.*new/);
  assert.ok(!second.stdout.includes(file), 'what was deleted is not filled in again');
  assert.equal((await call('DELETE', '/volumes/api-volume')).status, 409);
});

test('20 starts at once all succeed, and list shows them', async (t) => {
  const ids = await Promise.all(
    Array.from({ length: 20 }, (_, index) => createContainer(t, { Cmd: ['sleep', '300'] }, `api-many-${index}`)),
  );
  const starts = await Promise.all(ids.map((id) => call('POST', `/containers/${id}/start`)));
  assert.deepEqual([...new Set(starts.map((start) => start.status))], [204]);
  const filters = encodeURIComponent(JSON.stringify({ name: ['^/api-many-'], status: ['running'] }));
  const list = (await call('GET', `/containers/json?filters=${filters}`)).json<{ Id: string; State: string }[]>();
  assert.deepEqual(new Set(list.map((entry) => entry.Id)), new Set(ids));
  const removed = await Promise.all(ids.map((id) => call('DELETE', `/containers/${id}?force=1`)));
  assert.deepEqual([...new Set(removed.map((answer) => answer.status))], [204]);
  const left = readdirSync('/sys/fs/cgroup/wherry').filter((name) => ids.includes(name));
  assert.deepEqual(left, []);
});
