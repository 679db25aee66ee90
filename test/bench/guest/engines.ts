/** Wherry's agent and Debian's dockerd side by side in the guest, on the same data disk. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineSocket } from './http.ts';

/** The peers' file tree, made by `run.sh`. */
export const peers = '/run/peers';
export const sockets = { wherry: '/run/wherry/docker.sock', docker: `${peers}/run/peer-docker.sock` } as const;

export interface Engines {
  readonly wherry: EngineSocket;
  readonly docker: EngineSocket;
}

export function run(command: string, args: readonly string[]): void {
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

export async function startEngines(): Promise<Engines> {
  const output = ['ignore', 'inherit', 'inherit'] as const;
  spawn('/usr/bin/node', ['/usr/lib/wherry/agent.js'], { stdio: [...output], detached: true });
  const wherry = new EngineSocket(sockets.wherry);
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
  const docker = new EngineSocket(sockets.docker);
  await until('dockerd', async () => (await docker.request('GET', '/info')).status === 200);
  return { wherry, docker };
}
