/** Runs in the guest: every command against the one engine and the other, one `DIFF {json}` line for each. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { type Engines, peers, run as runOrThrow, sockets, startEngines } from '../../bench/guest/engines.ts';
import { invocations } from './invocations.ts';
import { knownDifferences } from './known.ts';
import { normalise } from './normalise.ts';

const registryPort = process.env['BENCH_REGISTRY_PORT'] ?? '';
/** What the older of the two speaks, so that the CLI asks both the same. */
const apiVersion = '1.41';
const registries: Readonly<Record<keyof Engines, string>> = {
  wherry: `localhost:${registryPort}`,
  docker: `10.0.2.2:${registryPort}`,
};

async function run(engine: keyof Engines, line: string): Promise<string> {
  const child = spawn('chroot', [peers, '/bin/busybox', 'timeout', '60', '/bin/sh', '-c', line], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: '/payload:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/tmp',
      R: registries[engine],
      DOCKER_HOST: `unix://${engine === 'docker' ? sockets.docker.slice(peers.length) : '/run/wherry.sock'}`,
      DOCKER_API_VERSION: apiVersion,
    },
  });
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return normalise(`${out}${err}`) + `\nexit ${code}`;
}

const engines = await startEngines();
// The CLI runs in the peers' file tree against both.
writeFileSync(`${peers}/run/wherry.sock`, '');
runOrThrow('mount', ['--bind', sockets.wherry, `${peers}/run/wherry.sock`]);
for (const name of ['wherry', 'docker'] as const) {
  await engines[name].pull(`${registries[name]}/busybox:latest`);
  await run(name, 'docker tag $R/busybox:latest busybox:latest && docker rmi $R/busybox:latest');
  await run(name, 'docker rmi $(docker images -q --filter reference="wherry/*" | head -1)');
}
for (const line of invocations) {
  const [ours, theirs] = [await run('wherry', line), await run('docker', line)];
  const known = knownDifferences[line];
  process.stdout.write(`DIFF ${JSON.stringify({ line, ours, theirs, known })}\n`);
}
process.exit(0);
