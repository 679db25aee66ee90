/** Runs `native/unpack`. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import { EngineError } from '../../contract/errors.ts';
import { exists } from '../exists.ts';

export interface LayerJob {
  /** Folder to unpack into; undefined: only keep and verify. */
  readonly root?: string;
  /** File that gets the compressed bytes; its first `resumeBytes` are already there. */
  readonly keep?: { readonly file: string; readonly resumeBytes: number };
  /** Carries whiteouts out on what is in the root, instead of keeping them for overlay. */
  readonly apply?: boolean;
  /** Added to every owner. */
  readonly shift?: number;
  /** Whiteouts are files like others, and nothing waits for the disk. */
  readonly plain?: boolean;
  /** Unpacks into this folder beneath the root, which is made where it is missing. */
  readonly into?: string;
}

/** Files that become a layer, or are copied into a root: what is packed, and how it is told. */
export interface PackSource {
  /** Folder or file; its own path must not be a link. */
  readonly source: string;
  /** Its name in the archive. Undefined: a folder without an entry of its own. */
  readonly as?: string;
  /** The upper folder of an overlay: its whiteouts and opaque folders are told as such. */
  readonly overlay?: boolean;
  /** Base of the user namespace whose ids the files have. */
  readonly unshift?: number;
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly mode?: number;
  /** In seconds; what is later becomes this. */
  readonly maxTime?: number;
  /** Names in the archive that are left out, with all beneath them. */
  readonly skip?: readonly string[];
  readonly gzip?: boolean;
}

const layerResult = z.object({
  digest: z.string(),
  diffId: z.string(),
  compressedBytes: z.number(),
  archiveBytes: z.number(),
  /** Sum of the files' sizes. */
  fileBytes: z.number(),
  entries: z.number(),
  skippedAttributes: z.number(),
});
export type LayerResult = z.infer<typeof layerResult>;

export interface UnpackProgress {
  /** Compressed bytes that have been unpacked. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

const failureKinds = ['disk-full', 'unsafe', 'too-large', 'bad-archive', 'not-found', 'io'] as const;
export type UnpackFailure = (typeof failureKinds)[number];

/** The program's own account of why it failed. */
export class UnpackError extends EngineError {
  readonly kind: UnpackFailure;

  constructor(kind: UnpackFailure, message: string) {
    super('system', message, kind === 'disk-full' ? { hint: diskFullHint } : {});
    this.kind = kind;
  }
}

const diskFullHint = 'remove images or containers that are not needed, or give the VM a larger disk in the settings';

const packedEntry = z.object({
  /** As in an archive: '0' file, '1' hard link, '2' symbolic link, '3' and '4' devices, '5' folder, '6' pipe. */
  type: z.string(),
  mode: z.number(),
  uid: z.number(),
  gid: z.number(),
  mtime: z.number(),
  size: z.number(),
  /** A folder's ends with a slash. */
  path: z.string(),
});
export type PackedEntry = z.infer<typeof packedEntry>;

/** All lines before the last are told to who wants them. */
const lastLine = z.union([
  z.object({ result: z.object({}).loose() }),
  z.object({ error: z.object({ kind: z.enum(failureKinds), message: z.string() }) }),
]);
const entryLine = z.object({ entry: packedEntry });
const copied = z.object({
  /** Names of files, links and the rest. */
  files: z.number(),
  bytes: z.number(),
  /** Of these bytes, those that take no room of their own: the file system shares them with the first copy. */
  sharedBytes: z.number(),
});
export type Copied = z.infer<typeof copied>;
const copyLine = z.object({ progress: copied });
const progressLine = z.object({ progress: z.object({ bytesIn: z.number(), bytesOut: z.number() }) });
type OnLine = (line: object) => void;

/** A layer being unpacked. Owned by who started it: ends by itself after `input` ended, or by the signal (SIGKILL). */
export interface RunningUnpack {
  /** The compressed layer goes here. Errors on it are reported by `result`. */
  readonly input: Writable;
  /** Rejects with {@link UnpackError}, or the signal's reason. On success all is on the disk. */
  readonly result: Promise<LayerResult>;
}

export class UnpackProgram {
  private readonly file: string;
  private readonly limits: readonly string[];

  constructor(
    file: string,
    limits: { maxBytes: number; maxEntries: number } = { maxBytes: 2 ** 40, maxEntries: 2 ** 23 },
  ) {
    this.file = file;
    this.limits = ['--max-bytes', String(limits.maxBytes), '--max-entries', String(limits.maxEntries)];
  }

  startLayer(job: LayerJob, signal: AbortSignal, onProgress?: (progress: UnpackProgress) => void): RunningUnpack {
    const child = spawn(this.file, this.layerWords(job), { stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdin, stdout } = child;
    // Its death closes the pipe; what it said about that is the error that counts.
    stdin.on('error', () => undefined);
    const hear: OnLine = (line) => onProgress?.(progressLine.parse(line).progress);
    const result = this.outcome(child, stdout, signal, hear).then((value) => layerResult.parse(value));
    result.catch(() => undefined); // awaited by the caller after feeding, perhaps too late for Node's liking
    return { input: stdin, result };
  }

  /** Like {@link startLayer} with an archive made of files here. No byte of it comes this way. */
  async packLayer(from: PackSource, job: LayerJob, signal: AbortSignal): Promise<LayerResult> {
    const words = [...this.layerWords(job), ...packWords(from)];
    const child = spawn(this.file, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    return layerResult.parse(await this.outcome(child, child.stdout, signal));
  }

  /** What {@link packLayer} would pack, in its order. Reads no file. */
  async list(from: PackSource): Promise<PackedEntry[]> {
    const words = ['layer', '--no-root', ...packWords(from), '--list'];
    const child = spawn(this.file, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    const entries: PackedEntry[] = [];
    const hear: OnLine = (line) => entries.push(entryLine.parse(line).entry);
    await this.outcome(child, child.stdout, new AbortController().signal, hear);
    return entries;
  }

  /** Removes a folder with all beneath it, however deep; nothing there is success. */
  async removeFolder(folder: string): Promise<void> {
    await this.run(['remove', folder]);
  }

  /** Bytes of the files beneath a folder. */
  async folderBytes(folder: string): Promise<number> {
    return z.object({ bytes: z.number() }).parse(await this.run(['usage', folder])).bytes;
  }

  /** As {@link folderBytes}; nothing for a folder that is not there, or goes while it is measured. */
  async folderBytesIfThere(folder: string): Promise<number> {
    if (!(await exists(folder))) return 0;
    try {
      return await this.folderBytes(folder);
    } catch (error) {
      if (await exists(folder)) throw error;
      return 0;
    }
  }

  /** Copies all that is in a folder into an empty one, by reflink where the file system can. All is on the disk at the end. */
  async copyFolder(
    from: string,
    to: string,
    signal: AbortSignal,
    onProgress: (progress: Copied) => void,
  ): Promise<Copied> {
    const child = spawn(this.file, ['copy', from, to], { stdio: ['ignore', 'pipe', 'inherit'] });
    const hear: OnLine = (line) => onProgress(copyLine.parse(line).progress);
    return copied.parse(await this.outcome(child, child.stdout, signal, hear));
  }

  /**
   * Runs `unpack layers` (`native/unpack/layers.h` has its words): each line goes to `onLine`, the last is the result.
   * Rejects with {@link UnpackError}, or the signal's reason.
   */
  async compareLayers(words: readonly string[], signal: AbortSignal, onLine: OnLine): Promise<unknown> {
    const child = spawn(this.file, ['layers', ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    return this.outcome(child, child.stdout, signal, onLine);
  }

  private layerWords(job: LayerJob): string[] {
    return [
      'layer',
      ...(job.root === undefined ? ['--no-root'] : ['--root', job.root]),
      ...(job.keep === undefined ? [] : ['--keep', job.keep.file, '--resume', String(job.keep.resumeBytes)]),
      ...(job.apply === true ? ['--apply'] : []),
      ...(job.shift === undefined ? [] : ['--shift', String(job.shift)]),
      ...(job.plain === true ? ['--plain'] : []),
      ...(job.into === undefined ? [] : ['--into', job.into]),
      ...this.limits,
    ];
  }

  private run(args: readonly string[]): Promise<unknown> {
    const child = spawn(this.file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    return this.outcome(child, child.stdout, new AbortController().signal);
  }

  private async outcome(
    child: ChildProcess,
    stdout: Readable,
    signal: AbortSignal,
    onLine: OnLine = () => undefined,
  ): Promise<unknown> {
    const kill = (): boolean => child.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    if (signal.aborted) kill();
    const ended = new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, killedBy) => resolve(killedBy ?? String(code)));
    });
    ended.catch(() => undefined);
    try {
      let last: z.infer<typeof lastLine> | undefined;
      for await (const text of createInterface({ input: stdout })) {
        const line = JSON.parse(text) as object;
        if ('result' in line || 'error' in line) last = lastLine.parse(line);
        else onLine(line);
      }
      const status = await ended;
      signal.throwIfAborted();
      if (last === undefined) throw new UnpackError('io', `unpack ended unexpectedly (${status})`);
      if ('error' in last) throw new UnpackError(last.error.kind, last.error.message);
      return last.result;
    } catch (cause) {
      signal.throwIfAborted();
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
        throw new EngineError('system', `the program ${this.file} is missing`, { cause });
      }
      throw cause;
    } finally {
      signal.removeEventListener('abort', kill);
    }
  }
}

function packWords(from: PackSource): string[] {
  const { owner } = from;
  return [
    ...['--pack', from.source],
    ...(from.as === undefined ? [] : ['--as', from.as]),
    ...(from.overlay === true ? ['--overlay'] : []),
    ...(from.unshift === undefined ? [] : ['--unshift', String(from.unshift)]),
    ...(owner === undefined ? [] : ['--owner', `${owner.uid}:${owner.gid}`]),
    ...(from.mode === undefined ? [] : ['--mode', from.mode.toString(8)]),
    ...(from.maxTime === undefined ? [] : ['--max-time', String(from.maxTime)]),
    ...(from.skip ?? []).flatMap((name) => ['--skip', name]),
    ...(from.gzip === true ? ['--gzip'] : []),
  ];
}
