/**
 * A machine's state to a file and back, by QEMU's migration through a unix socket that this process serves or calls: the one
 * channel that every release and platform has alike. Facts: docs/devel/migration and qapi/migration.json of QEMU.
 */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import net from 'node:net';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import { delay, raceAbort, withDeadline } from '../../wait.ts';
import type { StateFile } from '../backend.ts';
import type { Qmp } from './qmp.ts';

/** Enough for all of a large guest's memory on a slow disk. */
const transferDeadlineMs = 300_000;
/** QEMU's own limit is meant for networks: 128 MiB/s. */
const unlimitedBytesPerSecond = 2 ** 40;
const pollMs = 20;
const chunkBytes = 1024 ** 2;

const migrationSchema = z.object({
  status: z.string().optional(),
  'error-desc': z.string().optional(),
  'blocked-reasons': z.array(z.string()).optional(),
});

/** See {@link RunningVm.save}. */
export async function saveState(qmp: Qmp, socket: string, path: string, signal?: AbortSignal): Promise<StateFile> {
  await refuseIfBlocked(qmp, signal);
  const receiver = await receiveState(socket, path);
  try {
    await qmp.run('migrate-set-parameters', { 'max-bandwidth': unlimitedBytesPerSecond }, signal);
    // Halted first: all of the memory is then written once, however fast the guest changes it.
    await qmp.run('stop', {}, signal);
    try {
      return await withDeadline('save the VM', transferDeadlineMs, (inner) => transfer(qmp, socket, receiver, inner), {
        signal,
      });
    } catch (error) {
      await letGo(qmp);
      throw error;
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await receiver.close();
  }
}

async function transfer(qmp: Qmp, socket: string, receiver: StateReceiver, signal: AbortSignal): Promise<StateFile> {
  await qmp.run('migrate', { uri: `unix:${socket}` }, signal);
  const received = raceAbort(receiver.complete, signal);
  // Whichever fails first tells why: without a reader QEMU fails too, and the other way round.
  await Promise.race([migrated(qmp, signal), received.then(() => new Promise<never>(() => undefined))]);
  return received;
}

/** QEMU knows what of it cannot be saved: whpx, some features of processors, devices. */
async function refuseIfBlocked(qmp: Qmp, signal?: AbortSignal): Promise<void> {
  const attempt = 'put the VM to sleep';
  const hint = 'Stop it instead; containers with a restart policy come back when it starts.';
  if (process.platform === 'win32') {
    throw new AppError('unsupported', `${attempt}: on Windows, QEMU cannot hand over a VM's state safely`, { hint });
  }
  const { 'blocked-reasons': reasons = [] } = migrationSchema.parse(await qmp.run('query-migrate', {}, signal));
  if (reasons.length > 0) throw new AppError('unsupported', `${attempt}: ${reasons.join('; ')}`, { hint });
}

/** Resolves when the migration under way is complete. */
async function migrated(qmp: Qmp, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { status, ...rest } = migrationSchema.parse(await qmp.run('query-migrate', {}, signal));
    if (status === 'completed') return;
    if (status === 'failed' || status === 'cancelled') {
      throw new AppError('vm-failed', `move the VM's state: ${rest['error-desc'] ?? `it was ${status}`}`);
    }
    await delay(pollMs, signal);
  }
}

/** Lets it run on, whatever had halted it: a migration that still goes is broken off first. */
export async function letGo(qmp: Qmp, signal?: AbortSignal): Promise<void> {
  await qmp.run('migrate_cancel', {}, signal);
  const idle = async (inner: AbortSignal): Promise<void> => {
    for (;;) {
      const { status } = migrationSchema.parse(await qmp.run('query-migrate', {}, inner));
      if (status === undefined || ['none', 'completed', 'failed', 'cancelled'].includes(status)) return;
      await delay(pollMs, inner);
    }
  };
  await withDeadline('break off the saving of the VM', 10_000, idle, { signal });
  await qmp.run('cont', {}, signal);
}

/**
 * Into a QEMU that was started with `-incoming defer`. Resolves to whether it took it: one that does not says why in its log,
 * and ends.
 * @throws AppError `vm-failed` when the file is not what was saved.
 */
export async function loadState(qmp: Qmp, socket: string, state: StateFile, signal?: AbortSignal): Promise<boolean> {
  await rm(socket, { force: true });
  await qmp.run('migrate-incoming', { uri: `unix:${socket}` }, signal);
  const load = async (inner: AbortSignal): Promise<boolean> => {
    if (!(await sendState(socket, state, inner))) return false;
    try {
      await migrated(qmp, inner);
      return true;
    } catch (error) {
      if (qmp.closed) return false;
      throw error;
    }
  };
  const taken = await withDeadline('restore the VM', transferDeadlineMs, load, { signal });
  await rm(socket, { force: true });
  return taken;
}

interface StateReceiver {
  /** All has come and is on the disk. */
  readonly complete: Promise<StateFile>;
  close(): Promise<void>;
}

/** Listens; the bytes of the first connection go to the file, which must not exist. */
async function receiveState(socket: string, path: string): Promise<StateReceiver> {
  await rm(socket, { force: true });
  const file = await open(path, 'wx', 0o600);
  const server = net.createServer();
  const connection = once(server, 'connection').then(([stream]) => {
    server.close();
    return stream as net.Socket;
  });
  const complete = connection.then((stream) => writeAll(stream, file, path));
  // Its failure is also told by the migration, which may be asked first.
  complete.catch(() => undefined);
  server.listen(socket);
  await once(server, 'listening');
  return {
    complete,
    async close() {
      server.close();
      void connection.then((stream) => stream.destroy());
      await file.close();
      await rm(socket, { force: true });
    },
  };
}

async function writeAll(stream: net.Socket, file: FileHandle, path: string): Promise<StateFile> {
  let sizeBytes = 0;
  let checksum = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    checksum = crc32(chunk, checksum);
    sizeBytes += chunk.length;
    await file.write(chunk);
  }
  await file.sync();
  return { path, sizeBytes, checksum };
}

/**
 * Resolves to whether QEMU read it to its end. The file is read to its own end in any case: a QEMU that hangs up may have met the
 * damage before its checksum is known here.
 * @throws AppError `vm-failed` when the file is not what was saved.
 */
async function sendState(socket: string, state: StateFile, signal: AbortSignal): Promise<boolean> {
  const stream = net.connect(socket);
  let refused = false;
  stream.on('error', () => (refused = true));
  const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
  let sizeBytes = 0;
  let checksum = 0;
  try {
    const chunks = createReadStream(state.path, { highWaterMark: chunkBytes, signal }) as AsyncIterable<Buffer>;
    for await (const chunk of chunks) {
      checksum = crc32(chunk, checksum);
      sizeBytes += chunk.length;
      if (stream.destroyed) refused = true;
      if (refused || stream.write(chunk)) continue;
      const drained = new Promise<void>((resolve) => stream.once('drain', () => resolve()));
      await raceAbort(Promise.race([drained, closed]), signal);
    }
    if (sizeBytes !== state.sizeBytes || checksum !== state.checksum) {
      throw new AppError('vm-failed', `restore the VM: ${state.path} is damaged`);
    }
    // QEMU may have read the last of it, and closed, before this.
    stream.end();
    await raceAbort(closed, signal);
    return !refused;
  } finally {
    stream.destroy();
  }
}
