/** One VM with Wherry's agent and the peers' file tree beside it, in which a program of ours works both. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { runPayload } from '../../vm/image/run.ts';
import { lineReader } from '../helpers/lines.ts';
import { buildPeers } from './peers.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const arch = 'amd64';

/** The guest's image that the runs boot. */
export const peerImage = { arch, folder: path.join(root, 'dist/guest', arch) } as const;

export interface PeerRun {
  /** Bundled, and started by `guest/run.sh`. */
  readonly program: string;
  /** Its environment. */
  readonly settings: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
  readonly onLine: (line: string) => void;
  /** Puts more into the folder that the guest gets. */
  readonly fill?: (payload: string) => Promise<void>;
}

export async function runWithPeers({ program, settings, deadlineMs, onLine, fill }: PeerRun): Promise<void> {
  const payload = await mkdtemp(path.join(os.tmpdir(), 'wherry-peers-'));
  try {
    const peers = path.join(root, 'build/bench/peers');
    await buildPeers(arch, path.join(root, 'build/bench'), peers);
    await cp(peers, path.join(payload, 'peers'), { recursive: true, verbatimSymlinks: true });
    await cp(path.join(import.meta.dirname, 'guest/run.sh'), path.join(payload, 'run.sh'));
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(path.join(payload, 'settings'), lines.join(''));
    await build({
      entryPoints: [program],
      outfile: path.join(payload, 'bench.mjs'),
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      logLevel: 'warning',
    });
    await fill?.(payload);
    const machine = { append: [], memoryMib: 4096, cpus: 2, deadlineMs, sshPort: undefined, payload };
    await runPayload(
      { arch, image: peerImage.folder, ...machine },
      lineReader(onLine),
      AbortSignal.timeout(deadlineMs),
    );
  } finally {
    await rm(payload, { recursive: true, force: true });
  }
}
