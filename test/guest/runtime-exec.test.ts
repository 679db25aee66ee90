import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { LaunchError } from '../../vm/agent/runtime/runtime.ts';
import type { OciProcess, RunningContainer, RunningExec } from '../../vm/agent/runtime/runtime.ts';
import { demultiplex, never, processOf, readAll, start, stopSpawner, until } from './runtime-fixture.ts';

after(stopSpawner);

function exec(
  container: RunningContainer,
  args: readonly string[],
  process: Partial<OciProcess> = {},
  attachStdin = false,
): Promise<RunningExec> {
  return container.exec({ execId: randomUUID(), process: processOf(args, process), attachStdin }, never);
}

test('a further process is in the container: its namespaces, cgroup, user, rights and filter', async (t) => {
  const { container } = await start(t, ['sleep', '1000']);
  const script =
    'hostname; id -u; cat /proc/1/comm; grep -E "^(CapBnd|Seccomp):" /proc/self/status; cat /proc/self/cgroup; exit 5';
  const running = await exec(container, ['sh', '-c', script]);
  assert.ok((await container.pids()).includes(running.pid) || (await running.exited) === 5);
  const { stdout } = demultiplex(await readAll(running.stream));
  assert.equal(stdout, 'box\n0\nsleep\nCapBnd:\t00000000a80425fb\nSeccomp:\t2\n0::/\n');
  assert.equal(await running.exited, 5);
});

test('output is there from the very start, both streams, much of it', async (t) => {
  const { container } = await start(t, ['sleep', '1000']);
  const running = await exec(container, ['sh', '-c', 'echo err >&2; seq 1 100000']);
  const { stdout, stderr } = demultiplex(await readAll(running.stream));
  assert.equal(stderr, 'err\n');
  assert.ok(stdout.startsWith('1\n2\n') && stdout.endsWith('\n99999\n100000\n') && stdout.length === 588_895);
});

test('input, its end, and none when not asked for', async (t) => {
  const { container } = await start(t, ['sleep', '1000']);
  const fed = await exec(container, ['wc', '-c'], {}, true);
  fed.stream.end(Buffer.alloc(200_000, 'y'));
  assert.equal(demultiplex(await readAll(fed.stream)).stdout, '200000\n');
  const unfed = await exec(container, ['wc', '-c']);
  assert.equal(demultiplex(await readAll(unfed.stream)).stdout, '0\n');
});

test('a terminal of its own, resized', async (t) => {
  const { container } = await start(t, ['sleep', '1000']);
  const running = await exec(
    container,
    ['sh', '-c', 'tty; stty size; read line; stty size; echo "$line"'],
    { terminal: true, consoleSize: { width: 70, height: 20 } },
    true,
  );
  assert.equal(running.tty, true);
  let seen = '';
  running.stream.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  await until('the size', () => seen.includes('20 70\r\n'));
  await running.resize({ columns: 81, rows: 26 });
  running.stream.write('typed\n');
  assert.equal(await running.exited, 0);
  await until('the end', () => seen.endsWith('typed\r\n26 81\r\ntyped\r\n'));
  assert.match(seen, /^\/dev\/pts\/0\r\n/);
});

test('user, folder and environment are the exec’s own', async (t) => {
  const { container } = await start(t, ['sleep', '1000']);
  const running = await exec(container, ['sh', '-c', 'id -u; pwd; echo $A; echo x > /dev/stderr'], {
    user: { uid: 1000, gid: 1000, additionalGids: [] },
    cwd: '/tmp',
    env: ['PATH=/bin', 'A=b'],
    capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
  });
  assert.deepEqual(demultiplex(await readAll(running.stream)), { stdout: '1000\n/tmp\nb\n', stderr: 'x\n' });
});

test('what cannot run is refused as for a container, which goes on', async (t) => {
  const { container } = await start(t, ['sleep', '1000']);
  const refused = async (args: readonly string[], process: Partial<OciProcess> = {}) => {
    const error = await exec(container, args, process).then(
      () => assert.fail('it ran'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof LaunchError);
    return [error.kind, error.message];
  };
  assert.deepEqual(await refused(['nope']), ['not-found', 'exec: "nope": executable file not found in $PATH']);
  assert.deepEqual(await refused(['/etc']), ['not-executable', 'exec: "/etc": is a directory']);
  assert.deepEqual(await refused(['true'], { cwd: '/missing' }), [
    'setup',
    'chdir to cwd ("/missing") set in config.json failed: no such file or directory',
  ]);
  assert.equal(await (await exec(container, ['true'])).exited, 0);
});

test('a program of the guest’s runs in the container, which holds nothing of it', async (t) => {
  const { container } = await start(t, ['sleep', '1000']);
  const toolbox = (guestProgram: string, process: Partial<OciProcess> = {}): Promise<RunningExec> =>
    container.exec(
      {
        ...{ execId: randomUUID(), attachStdin: false, guestProgram },
        process: processOf(['sh', '-c', 'hostname; id -u; ls /; sort -V </dev/null && readlink /proc/self/exe'], {
          env: ['PATH=/nowhere'],
          ...process,
        }),
      },
      never,
    );
  const user = { uid: 1000, gid: 1000, additionalGids: [] };
  const capabilities = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
  for (const [uid, changes] of [
    ['0', {}],
    ['1000', { user, capabilities }],
  ] as const) {
    const running = await toolbox('/usr/bin/busybox', changes);
    const { stdout } = demultiplex(await readAll(running.stream));
    assert.match(stdout, new RegExp(`^box\n${uid}\nbin\ndev\n`));
    assert.match(stdout, /\/busybox\n$/);
    assert.equal(await running.exited, 0);
  }
  await assert.rejects(toolbox('/usr/bin/no-such-program'), { kind: 'setup' });
  assert.equal(await (await exec(container, ['true'])).exited, 0);
});

test('many at once keep their codes apart, and leave no zombies', async (t) => {
  const { container } = await start(t, ['sleep', '1000']);
  const codes = await Promise.all(
    Array.from({ length: 12 }, async (_, code) => {
      const running = await exec(container, ['sh', '-c', `exit ${code}`]);
      running.stream.resume();
      return running.exited;
    }),
  );
  assert.deepEqual(
    codes,
    Array.from({ length: 12 }, (_, code) => code),
  );
  await until('the process to be alone', async () => (await container.pids()).length === 1);
});

test('a client that goes away leaves the process running; the container’s end is its end', async (t) => {
  const { container } = await start(t, ['sleep', '1000']);
  const running = await exec(container, ['sh', '-c', 'while :; do echo much; done']);
  running.stream.destroy();
  const waiting = await exec(container, ['sleep', '1000']);
  waiting.stream.resume();
  assert.ok((await container.pids()).includes(running.pid));
  await container.kill(9);
  assert.equal((await container.exited).exitCode, 137);
  assert.deepEqual(await Promise.all([running.exited, waiting.exited]), [137, 137]);
});

test('a container that manages its own cgroups still takes them', async (t) => {
  const script =
    'mkdir /cg/inner && echo 1 > /cg/inner/cgroup.procs; ' +
    // Refused while an exec of ours is still in the group itself.
    'until echo +pids > /cg/cgroup.subtree_control; do sleep 0.1; done; exec sleep 1000';
  const { container } = await start(t, ['sh', '-c', script], {
    request: { idRange: undefined },
    config: (c) => ({
      ...c,
      mounts: [...c.mounts, { destination: '/cg', type: 'cgroup', source: 'cgroup', options: ['rw'] }],
      linux: { ...c.linux, namespaces: c.linux.namespaces.filter(({ type }) => type !== 'user') },
    }),
  });
  await until('the move', async () => {
    const running = await exec(container, ['cat', '/proc/self/cgroup']);
    return demultiplex(await readAll(running.stream)).stdout === '0::/inner\n';
  });
});

test('none in a container that has ended', async (t) => {
  const { container } = await start(t, ['true']);
  await container.exited;
  await assert.rejects(exec(container, ['true']));
});
