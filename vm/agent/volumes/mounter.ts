/** Mounts what a volume's options name on the volume's folder, in the guest, before the container's own namespace is made. */
import { execFile } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import { EngineError } from '../../contract/errors.ts';
import type { VolumeMount } from './volume-options.ts';

const run = promisify(execFile);
/** A server that does not answer. */
const mountTimeoutMs = 60_000;

export interface Mounter {
  /** Nothing when it is mounted already. */
  readonly mount: (volume: VolumeMount, target: string) => Promise<void>;
  /** Nothing when it is not mounted. */
  readonly unmount: (target: string) => Promise<void>;
}

export const systemMounter: Mounter = {
  async mount({ type, device, options }, target) {
    if (await isMounted(target)) return;
    const words = await withAddress(options);
    const args = ['-t', type, ...(words === '' ? [] : ['-o', words]), device, target];
    await run('mount', args, { timeout: mountTimeoutMs }).catch((cause: unknown) => {
      const reason = (cause as { stderr?: string }).stderr?.trim() ?? String(cause);
      throw new EngineError(
        'invalid-parameter',
        `error while mounting volume '${target}': failed to mount local volume: mount ${device}:${target}, data: ${words}: ${reason}`,
        { cause },
      );
    });
  },
  async unmount(target) {
    if (await isMounted(target)) await run('umount', [target], { timeout: mountTimeoutMs });
  },
};

/** Fields of mountinfo: proc_pid_mountinfo(5). */
async function isMounted(target: string): Promise<boolean> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines.some((line) => line.split(' ')[4] === target);
}

/** The kernel takes the server of a network file system as an address only. */
async function withAddress(options: string): Promise<string> {
  const host = /(?:^|,)addr=([^,]+)/.exec(options)?.[1];
  if (host === undefined || isIP(host) !== 0) return options;
  const { address } = await lookup(host).catch((cause: unknown) => {
    throw new EngineError('invalid-parameter', `error resolving passed in network volume address: ${host}`, { cause });
  });
  return options.replace(`addr=${host}`, `addr=${address}`);
}
