/** Runs in the guest: every command against the one engine and the other, one `DIFF {json}` line for each. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { type Engines, peers, run as runOrThrow, sockets, startEngines } from '../../bench/guest/engines.ts';
import { knownDifferences } from './known.ts';
import { normalise } from './normalise.ts';
import { sections } from './sections.ts';

type Name = keyof Engines;

const registryPort = process.env['BENCH_REGISTRY_PORT'] ?? '';
const wanted = (process.env['BENCH_ONLY'] ?? '').split(',');
const applets = '/run/applets';
/** What the older of the two speaks, so that the CLI asks both the same. */
const apiVersion = '1.41';
/** The engines share one network: what only one of them can have is told apart by these; see `sections.ts`. */
const settings = {
  wherry: { R: `localhost:${registryPort}`, S: '71', P: '181', E: 'w', DOCKER_HOST: 'unix:///run/wherry.sock' },
  docker: {
    R: `10.0.2.2:${registryPort}`,
    S: '72',
    P: '182',
    E: 'd',
    DOCKER_HOST: `unix://${sockets.docker.slice(peers.length)}`,
  },
} as const;

async function run(engine: Name, line: string): Promise<string> {
  const inFolder = `cd $HOME; ${line}`;
  const child = spawn('chroot', [peers, '/bin/busybox', 'timeout', '180', '/bin/sh', '-c', inFolder], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: `/payload:/usr/sbin:/usr/bin:/sbin:/bin:${applets}`,
      HOME: `/tmp/${engine}`,
      DOCKER_API_VERSION: apiVersion,
      ...settings[engine],
    },
  });
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return normalise(`${out}${err}`) + `\nexit ${code}`;
}

/** Leaves the image `busybox:latest` and an empty folder. */
const reset = `
  docker rm -fv $(docker ps -aq); docker volume rm $(docker volume ls -q); docker network prune -f
  docker tag $R/busybox:latest busybox:latest || { docker pull $R/busybox:latest; docker tag $R/busybox:latest busybox:latest; }
  for image in $(docker images --format "{{.Repository}}:{{.Tag}}"); do [ $image = busybox:latest ] || docker rmi -f $image; done
  docker image prune -f; rm -rf $HOME/*`;

const both = (line: string): Promise<[string, string]> => Promise.all([run('wherry', line), run('docker', line)]);

await startEngines();
// The CLI runs in the peers' file tree against both.
writeFileSync(`${peers}/run/wherry.sock`, '');
runOrThrow('mount', ['--bind', sockets.wherry, `${peers}/run/wherry.sock`]);
for (const folder of [applets, '/tmp/wherry', '/tmp/docker']) mkdirSync(`${peers}${folder}`);
runOrThrow('chroot', [peers, '/bin/busybox', '--install', '-s', applets]);
for (const [section, lines] of Object.entries(sections).filter(([name]) => wanted.includes(name))) {
  await both(reset);
  for (const line of lines) {
    const [ours, theirs] = await both(line);
    const known = knownDifferences[line];
    process.stdout.write(`\nDIFF ${JSON.stringify({ section, line, ours, theirs, known })}\n`);
  }
}
process.exit(0);
