/** What identifies one VM, made once and kept: an instance id and the two SSH key pairs. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import ssh2 from 'ssh2';
import { z } from 'zod';
import { AppError } from '../contract/errors.ts';
import { readIfThere, writeDurably } from '../durable-file.ts';
import type { HomePaths } from '../home.ts';
import { makeOpensshKeyPair } from './openssh-key.ts';

export interface VmIdentity {
  readonly instanceId: string;
  /** The guest's private host key, OpenSSH form. */
  readonly hostKey: string;
  /** Its public half in SSH wire form: what the link pins. */
  readonly hostPublicKey: Buffer;
  readonly clientKey: string;
  /** One line of `authorized_keys`. */
  readonly clientPublicLine: string;
}

/** Reads what is there and makes what is missing. */
export async function vmIdentity(paths: HomePaths): Promise<VmIdentity> {
  const instanceId = await instanceOf(paths.vm.instance);
  const hostKey = await keyPair(paths.vm.hostKey, 'wherry-vm');
  const clientKey = await keyPair(paths.vm.clientKey, 'wherry-host');
  return {
    instanceId,
    hostKey,
    hostPublicKey: publicBlob(hostKey, paths.vm.hostKey),
    clientKey,
    clientPublicLine: `ssh-ed25519 ${publicBlob(clientKey, paths.vm.clientKey).toString('base64')} wherry-host`,
  };
}

async function instanceOf(file: string): Promise<string> {
  const text = await readIfThere(file);
  if (text !== undefined) return z.object({ instanceId: z.uuid() }).parse(JSON.parse(text)).instanceId;
  const instanceId = randomUUID();
  await writeDurably(file, `${JSON.stringify({ instanceId })}\n`);
  return instanceId;
}

async function keyPair(file: string, comment: string): Promise<string> {
  const present = await readIfThere(file);
  if (present !== undefined) return present;
  const pair = makeOpensshKeyPair(comment);
  await rm(`${file}.pub`, { force: true });
  await writeDurably(`${file}.pub`, `${pair.public}\n`, 0o644);
  await writeDurably(file, pair.private);
  return pair.private;
}

function publicBlob(privateKey: string, file: string): Buffer {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) {
    throw new AppError('vm-failed', `read ${file}: ${parsed.message}`, {
      hint: `Delete it while the VM is stopped; a new one is made at the next start.`,
      cause: parsed,
    });
  }
  return parsed.getPublicSSH();
}
