/** `vm.json`: the running VM, so that a later process can attach to it. */
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { readIfThere, writeDurably } from '../durable-file.ts';
import type { VmRecord } from './backend.ts';

const recordSchema = z.object({
  version: z.literal(1),
  backend: z.enum(['qemu', 'hyperv']),
  process: z.object({ pid: z.number(), started: z.string() }),
  name: z.string(),
  accelerator: z.enum(['hvf', 'whpx', 'kvm', 'tcg', 'hyperv']),
  backendVersion: z.string(),
  ssh: z.object({ host: z.string(), port: z.number() }),
  imageId: z.string(),
  fingerprint: z.string().optional(),
  cpus: z.number(),
  memoryMiB: z.number(),
  startedAtMs: z.number(),
});

/** Undefined when there is none, or none that can be read: then nothing is known to run. */
export async function readRecord(file: string): Promise<VmRecord | undefined> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    // From another version, or damaged: the back end finds a leftover process by its pid file.
    return undefined;
  }
}

export async function writeRecord(file: string, record: VmRecord): Promise<void> {
  await writeDurably(file, `${JSON.stringify(record, null, 2)}\n`);
}

export async function removeRecord(file: string): Promise<void> {
  await rm(file, { force: true });
}
