/**
 * Runs in the guest as root, with Wherry's agent and the peers side by side on the same data disk, and prints one
 * `BENCH {json}` line for each measurement. The order alternates nothing: each row is measured alone, engines idle.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineSocket } from './http.ts';
import { median, memoryOf, time } from './measure.ts';

const peers = '/run/peers';
const count = Number(process.env['BENCH_COUNT'] ?? 15);
const registryPort = process.env['BENCH_REGISTRY_PORT'] ?? '';

/** Prints one result; the host reads the lines. */
function report(row: string, subject: string, value: number, unit: 'ms' | 'bytes'): void {
  process.stdout.write(`BENCH ${JSON.stringify({ row, subject, value, unit })}\n`);
}

function run(command: string, args: readonly string[]): void {
  const ended = spawnSync(command, args, { encoding: 'utf8' });
  if (ended.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${ended.stderr || String(ended.error)}`);
}

async function until(what: string, probe: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await probe().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`${what}: not ready in 60 s`);
    await sleep(100);
  }
}

async function startEngines(): Promise<{ wherry: EngineSocket; docker: EngineSocket }> {
  const output = ['ignore', 'inherit', 'inherit'] as const;
  spawn('/usr/bin/node', ['/usr/lib/wherry/agent.js'], { stdio: [...output], detached: true });
  const wherry = new EngineSocket('/run/wherry/docker.sock');
  await until('the agent', async () => (await wherry.request('GET', '/info')).status === 200);
  mkdirSync(`${peers}/var/lib/wherry`, { recursive: true });
  run('mount', ['--bind', '/var/lib/wherry', `${peers}/var/lib/wherry`]); // The same disk for both engines.
  const dockerArgs = [
    '--data-root',
    '/var/lib/wherry/peer-docker',
    '--exec-root',
    '/run/peer-docker',
    '--insecure-registry',
    '10.0.2.2/32',
  ];
  spawn(
    'chroot',
    [
      peers,
      '/usr/sbin/dockerd',
      '--host',
      'unix:///run/peer-docker.sock',
      '--bip',
      '172.30.0.1/16',
      '--log-level',
      'error',
      ...dockerArgs,
    ],
    {
      stdio: [...output],
      detached: true,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    },
  );
  const docker = new EngineSocket(`${peers}/run/peer-docker.sock`);
  await until('dockerd', async () => (await docker.request('GET', '/info')).status === 200);
  return { wherry, docker };
}

/** An OCI bundle for bare crun and runc: the same busybox, no networking of their own. */
function makeBundle(): void {
  const bundle = `${peers}/run/bundle`;
  mkdirSync(`${bundle}/rootfs/bin`, { recursive: true });
  for (const folder of ['proc', 'sys', 'dev', 'tmp', 'etc'])
    mkdirSync(`${bundle}/rootfs/${folder}`, { recursive: true });
  run('cp', [`${peers}/bin/busybox`, `${bundle}/rootfs/bin/busybox`]);
  for (const name of ['true', 'sh', 'sleep']) run('ln', ['-s', 'busybox', `${bundle}/rootfs/bin/${name}`]);
  run('chroot', [peers, '/bin/sh', '-c', 'cd /run/bundle && runc spec']);
  run('/bin/sh', ['-c', `sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"true"/' ${bundle}/config.json`]);
}

function runBare(runtime: 'crun' | 'runc'): void {
  run('chroot', [
    peers,
    `/usr/${existsSync(`${peers}/usr/sbin/${runtime}`) ? 'sbin' : 'bin'}/${runtime}`,
    'run',
    '--bundle',
    '/run/bundle',
    'bench',
  ]);
}

async function benchRun(engines: Engines, image: Images): Promise<void> {
  report('run true', 'wherry', median(await time(() => engines.wherry.runTrue(image.wherry), count)), 'ms');
  report('run true', 'docker.io', median(await time(() => engines.docker.runTrue(image.docker), count)), 'ms');
  makeBundle();
  for (const runtime of ['crun', 'runc'] as const) {
    report('run true', runtime, median(await time(() => runBare(runtime), count)), 'ms');
  }
}

async function benchExec(engines: Engines, image: Images): Promise<void> {
  for (const [subject, engine, name] of pairs(engines, image)) {
    const id = await engine.create({ Image: name, Cmd: ['sleep', '1000'] });
    await engine.call('POST', `/containers/${id}/start`);
    report('exec true', subject, median(await time(() => engine.execTrue(id), count)), 'ms');
    if (subject === 'wherry') {
      const { State } = JSON.parse(await engine.call('GET', `/containers/${id}/json`)) as { State: { Pid: number } };
      const nsenter = ['nsenter', '-t', String(State.Pid), '-m', '-u', '-i', '-n', '-p', '--', '/bin/true'];
      report('exec true', 'nsenter', median(await time(() => run('/bin/busybox', nsenter), count)), 'ms');
    }
    await engine.call('DELETE', `/containers/${id}?force=1`);
  }
}

async function benchPull(engines: Engines): Promise<void> {
  const layered: Images = {
    wherry: `localhost:${registryPort}/nginx:latest`,
    docker: `10.0.2.2:${registryPort}/nginx:latest`,
  };
  for (const [subject, engine, name] of pairs(engines, layered)) {
    const taken = await time(
      async () => {
        await engine.pull(name);
      },
      1,
      0,
    );
    for (let again = 0; again < 2; again++) {
      await engine.call('DELETE', `/images/${name}?force=1`);
      taken.push(...(await time(() => engine.pull(name), 1, 0)));
    }
    report('pull multi-layer', subject, median(taken), 'ms');
  }
}

async function benchMemory(engines: Engines, image: Images): Promise<void> {
  const patterns = { wherry: /wherry\/(agent|monitor)/, 'docker.io': /(^|\/)(dockerd|containerd)/ };
  for (const [subject, engine, name] of pairs(engines, image)) {
    const ids: string[] = [];
    for (let n = 0; n < 20; n++) {
      const id = await engine.create({ Image: name, Cmd: ['sleep', '1000'] });
      await engine.call('POST', `/containers/${id}/start`);
      ids.push(id);
    }
    await sleep(2000);
    report('memory with 20 idle containers', subject, memoryOf(patterns[subject]), 'bytes');
    for (const id of ids) await engine.call('DELETE', `/containers/${id}?force=1`);
  }
}

type Engines = Awaited<ReturnType<typeof startEngines>>;
interface Images {
  readonly wherry: string;
  readonly docker: string;
}

function pairs(engines: Engines, image: Images): ['wherry' | 'docker.io', EngineSocket, string][] {
  return [
    ['wherry', engines.wherry, image.wherry],
    ['docker.io', engines.docker, image.docker],
  ];
}

const engines = await startEngines();
const image: Images = {
  wherry: `localhost:${registryPort}/busybox:latest`,
  docker: `10.0.2.2:${registryPort}/busybox:latest`,
};
await engines.wherry.pull(image.wherry);
await engines.docker.pull(image.docker);
const benches: Record<string, () => Promise<void>> = {
  run: () => benchRun(engines, image),
  exec: () => benchExec(engines, image),
  pull: () => benchPull(engines),
  memory: () => benchMemory(engines, image),
};
const wanted = (process.env['BENCH_ONLY'] ?? '').split(',').filter((name) => name !== '');
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  // One row failing must not lose the others; the host counts it.
  await bench().catch((error: unknown) => {
    process.stdout.write(`BENCH-FAILED ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
  });
}
writeFileSync('/run/bench-done', '');
process.exit(0);
