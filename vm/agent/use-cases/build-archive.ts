/** Archives that a build is given: its context on the request's body, and files that ADD unpacks. Compressed or not. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gunzipSync, constants as zlib } from 'node:zlib';
import { EngineError } from '../../contract/errors.ts';
import type { LayerJob, UnpackProgram } from '../snapshots/unpack-program.ts';
import { UnpackError } from '../snapshots/unpack-program.ts';

type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

const headBytes = 64 * 1024;

/** Unpacks as it comes; nothing outside of the job's root is touched. */
export async function unpackArchive(
  program: UnpackProgram,
  input: Readable,
  job: LayerJob,
  signal: AbortSignal,
): Promise<void> {
  const { head, whole } = await peek(input, 6);
  const unpack = program.startLayer({ ...job, plain: true }, signal);
  const feeding = feed(whole, compressionOf(head), unpack.input, signal);
  feeding.catch(() => undefined); // It may fail first; it is asked below.
  try {
    await unpack.result;
  } catch (error) {
    const fed = await feeding.catch((reason: unknown) => reason);
    signal.throwIfAborted();
    // A body that broke off says more than the archive that ends too early.
    if (fed instanceof EngineError) throw fed;
    if (!(error instanceof UnpackError)) throw error;
    throw new EngineError(error.kind === 'disk-full' ? 'system' : 'invalid-parameter', error.message, { cause: error });
  }
  await feeding;
}

/** Whether ADD unpacks the file: a tar, however compressed. */
export async function isArchive(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  let compression: Compression;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const head = buffer.subarray(0, bytesRead);
    compression = compressionOf(head);
    if (compression === 'zstd') return true;
    if (compression === 'none') return isTar(head);
    if (compression === 'gzip') return isTar(gunzipSync(head, { finishFlush: zlib.Z_SYNC_FLUSH }));
  } catch {
    return false;
  } finally {
    await handle.close();
  }
  const first = spawnDecompressor(createReadStream(file), compression);
  try {
    return isTar((await peek(first, 512)).head);
  } catch {
    return false;
  } finally {
    first.destroy();
  }
}

/** Ends without an error when the reader has had enough: its own account counts. */
async function feed(
  input: Readable,
  compression: Compression,
  output: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  const source = compression === 'bzip2' || compression === 'xz' ? spawnDecompressor(input, compression) : input;
  try {
    await pipeline(source, output, { signal });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE') return;
    if (code === 'ECONNRESET') throw new EngineError('invalid-parameter', 'the build context ended early', { cause });
    throw cause;
  }
}

/** Busybox reads the formats that `native/unpack` does not. */
function spawnDecompressor(input: Readable, compression: 'bzip2' | 'xz'): Readable {
  const child = spawn(compression === 'bzip2' ? 'bunzip2' : 'unxz', ['-c'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const output = new PassThrough();
  child.on('error', (error) => output.destroy(error));
  output.on('close', () => child.kill());
  child.stdin.on('error', () => undefined);
  pipeline(input, child.stdin).catch(() => undefined);
  // At a child's exit Node throws away what nobody reads from its pipes yet: from the first moment somebody does.
  child.stdout.pipe(output, { end: false });
  child.once('close', (code) => {
    if (code === 0) output.end();
    else output.destroy(new EngineError('invalid-parameter', `the ${compression} data is damaged`));
  });
  return output;
}

async function peek(input: Readable, wanted: number): Promise<{ head: Buffer; whole: Readable }> {
  const whole = new PassThrough();
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < wanted) {
    const chunk = input.read() as Buffer | null;
    if (chunk !== null) {
      chunks.push(chunk);
      length += chunk.length;
    } else if (input.readableEnded || input.destroyed) break;
    else await Promise.race([once(input, 'readable'), once(input, 'end'), once(input, 'close')]);
  }
  const head = Buffer.concat(chunks);
  whole.write(head);
  pipeline(input, whole).catch((error: unknown) => whole.destroy(error instanceof Error ? error : undefined));
  return { head, whole };
}

function compressionOf(head: Buffer): Compression {
  const starts = (...bytes: number[]): boolean => bytes.every((byte, index) => head[index] === byte);
  if (starts(0x1f, 0x8b)) return 'gzip';
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if (starts(0x42, 0x5a, 0x68)) return 'bzip2';
  return starts(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00) ? 'xz' : 'none';
}

function isTar(head: Buffer): boolean {
  return head.toString('latin1', 257, 262) === 'ustar';
}
