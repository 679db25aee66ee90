/** A seed disk for the runner, with fresh keys. The host writes its own (src-main/vm); the format is in README.md. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from './commands.ts';
import type { TarEntry } from './tar.ts';

/** What the seed says beside keys. */
export interface SeedValues {
  readonly hostname: string;
  readonly clockMs: number;
}

/** A seed's entries, and the client key that opens the guest. */
export interface Seed {
  readonly entries: readonly TarEntry[];
  /** Private key in OpenSSH's format. */
  readonly clientKey: string;
}

const network = { mode: 'static', address: '10.0.2.15/24', gateway: '10.0.2.2', dns: ['10.0.2.3'] } as const;

export async function makeSeed(values: SeedValues): Promise<Seed> {
  const host = await makeKey('wherry-guest');
  const client = await makeKey('wherry-run');
  const entries: TarEntry[] = [
    { kind: 'file', path: 'seed.json', mode: 0o600, content: seedJson(values) },
    { kind: 'file', path: 'seed.env', mode: 0o600, content: seedEnv(values) },
    { kind: 'file', path: 'ssh_host_ed25519_key', mode: 0o600, content: host.privateKey },
    { kind: 'file', path: 'authorized_keys', mode: 0o600, content: client.publicKey },
  ];
  return { entries, clientKey: client.privateKey };
}

function seedJson(values: SeedValues): string {
  const { hostname, clockMs } = values;
  return JSON.stringify({ version: 1, instanceId: 'run', hostname, clockMs, hostGateway: network.gateway, network });
}

function seedEnv(values: SeedValues): string {
  const pairs = {
    WHERRY_HOSTNAME: values.hostname,
    WHERRY_CLOCK_MS: String(values.clockMs),
    WHERRY_NET_MODE: network.mode,
    WHERRY_NET_ADDRESS: network.address,
    WHERRY_NET_GATEWAY: network.gateway,
    WHERRY_NET_DNS: network.dns.join(' '),
  };
  return Object.entries(pairs)
    .map(([key, value]) => `${key}='${value.replaceAll("'", "'\\''")}'\n`)
    .join('');
}

async function makeKey(comment: string): Promise<{ privateKey: string; publicKey: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-key-'));
  try {
    const file = path.join(folder, 'key');
    const hint = 'install the package openssh-client';
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file], { hint });
    return { privateKey: await readFile(file, 'utf8'), publicKey: await readFile(`${file}.pub`, 'utf8') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
