/**
 * Runs in the guest as root, with Wherry's agent and the peers side by side on the same data disk, and prints one
 * `BENCH {json}` line for each measurement. The order alternates nothing: each row is measured alone, engines idle.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { benchBuild } from './builds.ts';
import { type Engines, peers, run, startEngines } from './engines.ts';
import { benchLists } from './lists.ts';
import { benchFollow } from './logs.ts';
import { median, memoryOf, time } from './measure.ts';
import { pairs, report, type Images } from './subjects.ts';

const count = Number(process.env['BENCH_COUNT'] ?? 15);
const parallelCount = 50;
const registryPort = process.env['BENCH_REGISTRY_PORT'] ?? '';

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

async function benchParallel(engines: Engines, image: Images): Promise<void> {
  for (const [subject, engine, name] of pairs(engines, image)) {
    await engine.runTrue(name); // warm
    const all = async (): Promise<void> => {
      await Promise.all(Array.from({ length: parallelCount }, () => engine.runTrue(name)));
    };
    report('50 × run true at once', subject, median(await time(all, 1, 0)), 'ms');
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
  parallel: () => benchParallel(engines, image),
  build: () => benchBuild(engines, image),
  logs: () => benchFollow(engines, image),
  list: () => benchLists(engines, image, count),
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
