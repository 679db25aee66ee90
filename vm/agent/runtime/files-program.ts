/** Runs `unpack files`: looks at, reads and writes a container's files as the container sees them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import { EngineError } from '../../contract/errors.ts';
import type { RootFilesystem } from './runtime.ts';

export interface BoundPath {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly recursive: boolean;
  /** Its ids are those inside the container. */
  readonly idmap: boolean;
}

interface IdRange {
  readonly base: number;
  readonly size: number;
}

/** Where the files are: in a running container's mounts, in mounts made for the time of one command, or in a folder here. */
export type FilesView = { readonly ids: IdRange | undefined } & (
  | {
      readonly kind: 'running';
      readonly pid: number;
      readonly cgroup: string;
      /** Without what is mounted in its root. */
      readonly bare: boolean;
    }
  | {
      readonly kind: 'stopped';
      readonly rootfs: RootFilesystem;
      /** Outermost first. */
      readonly binds: readonly BoundPath[];
      readonly readOnly: boolean;
    }
  | { readonly kind: 'folder'; readonly folder: string }
);

const foundSchema = z.object({
  /** `st_mode`. */
  mode: z.number(),
  size: z.number(),
  seconds: z.number(),
  nanoseconds: z.number(),
  /** Where a symbolic link leads in the end, else empty. */
  target: z.string(),
});
export type FoundFile = z.infer<typeof foundSchema>;

const entrySchema = z.object({
  name: z.string(),
  /** `st_mode`. */
  mode: z.number(),
  size: z.number(),
  seconds: z.number(),
  /** What a symbolic link says, else empty. */
  target: z.string(),
});
export type FolderEntry = z.infer<typeof entrySchema>;

export interface FolderListing {
  /** In no order. */
  readonly entries: readonly FolderEntry[];
  /** There are more than are told. */
  readonly more: boolean;
}

const failureKinds = [
  'not-found',
  'not-a-directory',
  'read-only',
  'refused',
  'gone',
  'disk-full',
  'unsafe',
  'too-large',
  'bad-archive',
  'io',
] as const;

/** The program's own account of why it failed. */
export class FilesError extends EngineError {
  readonly kind: (typeof failureKinds)[number];

  constructor(kind: FilesError['kind'], message: string) {
    super('system', message);
    this.kind = kind;
  }
}

const reportLine = z.union([
  z.object({ found: foundSchema }),
  z.object({ entry: entrySchema }),
  z.object({ progress: z.object({}).loose() }),
  z.object({ result: z.object({ more: z.number().default(0) }).loose() }),
  z.object({ error: z.object({ kind: z.enum(failureKinds), message: z.string() }) }),
]);

/** An archive on its way. Whoever has it reads `archive` to its end and then waits for `done`, or aborts the signal. */
export interface OutgoingArchive {
  readonly archive: Readable;
  /** Rejects with {@link FilesError} when the archive is not whole. */
  readonly done: Promise<void>;
}

export interface PutOptions {
  /** Folders and other files do not take each other's place. */
  readonly noReplace: boolean;
  /** Who owns all of it, as the container numbers them. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

type ReportLine = z.infer<typeof reportLine>;

interface Running {
  readonly input: Writable | null;
  readonly output: Readable;
  readonly found: Promise<FoundFile>;
  readonly done: Promise<void>;
}

export class FilesProgram {
  private readonly file: string;
  private readonly staging: string;

  /** @param staging A volatile folder of its own, on which each run mounts things that only it sees. */
  constructor(file: string, staging: string) {
    this.file = file;
    this.staging = staging;
  }

  async stat(view: FilesView, path: string, signal: AbortSignal): Promise<FoundFile> {
    const running = await this.start(view, ['stat', path], 'ignore', signal);
    running.output.resume();
    await running.done;
    return running.found;
  }

  /** What is in the folder at `path`, without what is in its folders. */
  async list(view: FilesView, path: string, signal: AbortSignal): Promise<FolderListing> {
    const entries: FolderEntry[] = [];
    let more = false;
    const running = await this.start(view, ['list', path], 'ignore', signal, (line) => {
      if ('entry' in line) entries.push(line.entry);
      if ('result' in line) more = line.result.more > 0;
    });
    running.output.resume();
    await running.done;
    return { entries, more };
  }

  /** The archive of what is at `path`, under `name`. Resolves once the path is found. */
  async get(
    view: FilesView,
    path: string,
    name: string,
    signal: AbortSignal,
  ): Promise<OutgoingArchive & { readonly found: FoundFile }> {
    const running = await this.start(view, ['get', path, name], 'ignore', signal);
    return { archive: running.output, done: running.done, found: await running.found };
  }

  async export(view: FilesView, signal: AbortSignal): Promise<OutgoingArchive> {
    const running = await this.start(view, ['export'], 'ignore', signal);
    return { archive: running.output, done: running.done };
  }

  /** Unpacks an archive (plain, gzip or zstd) into the folder `path`, which must exist. */
  async put(view: FilesView, path: string, options: PutOptions, archive: Readable, signal: AbortSignal): Promise<void> {
    const { owner } = options;
    const words = [
      ...['put', path],
      ...(options.noReplace ? ['no-replace'] : []),
      ...(owner === undefined ? [] : ['owner', `${owner.uid}:${owner.gid}`]),
    ];
    const running = await this.start(view, words, 'pipe', signal);
    running.output.resume();
    const stop = new AbortController();
    const feeding = feed(archive, running.input, AbortSignal.any([signal, stop.signal]));
    try {
      await running.done;
    } finally {
      stop.abort();
      await feeding;
    }
  }

  private async start(
    view: FilesView,
    words: readonly string[],
    input: 'ignore' | 'pipe',
    signal: AbortSignal,
    onLine: (line: ReportLine) => void = () => undefined,
  ): Promise<Running> {
    signal.throwIfAborted();
    await mkdir(this.staging, { recursive: true, mode: 0o711 });
    const args = ['files', ...viewWords(view, this.staging), '--', ...words];
    const child = spawn(this.file, args, { stdio: [input, 'pipe', 'inherit', 'pipe'] });
    const [, stdout, , report] = child.stdio as unknown as [null, Readable, null, Readable];
    // At a child's exit Node throws away what nobody reads from its pipes yet: from the first moment somebody does.
    const output = stdout.pipe(new PassThrough());
    const kill = (): boolean => child.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    if (signal.aborted) kill();
    // Its death closes the pipe; what it said about that is the error that counts.
    child.stdin?.on('error', () => undefined);
    const ended = once(child, 'exit').finally(() => signal.removeEventListener('abort', kill));
    let tell: (found: FoundFile) => void = () => undefined;
    const told = new Promise<FoundFile>((resolve) => (tell = resolve));
    const hear = (line: ReportLine): void => {
      if ('found' in line) tell(line.found);
      onLine(line);
    };
    const done = readReport(report, hear).then(async (failure) => {
      const [code, killedBy] = (await ended) as [number | null, string | null];
      signal.throwIfAborted();
      if (failure !== undefined) throw failure;
      if (code !== 0) throw new FilesError('io', `unpack ended unexpectedly (${killedBy ?? String(code)})`);
    });
    done.catch(() => undefined); // told by `found` too, when nothing was found
    const endedFirst = done.then(() => Promise.reject(new FilesError('io', 'unpack told nothing')));
    const found = Promise.race([told, endedFirst]);
    found.catch(() => undefined);
    return { input: child.stdin, output, found, done };
  }
}

/** The failure it tells of, if any. */
async function readReport(report: Readable, onLine: (line: ReportLine) => void): Promise<FilesError | undefined> {
  let last: ReportLine | undefined;
  for await (const line of createInterface({ input: report })) {
    last = reportLine.parse(JSON.parse(line));
    onLine(last);
  }
  return last !== undefined && 'error' in last ? new FilesError(last.error.kind, last.error.message) : undefined;
}

/** Until the archive ends, or the program has had enough. What is left of it is the caller's to drop. */
async function feed(archive: Readable, input: Writable | null, signal: AbortSignal): Promise<void> {
  if (input === null) return;
  const write = async (chunk: Buffer): Promise<boolean> => {
    if (input.destroyed) return false;
    if (input.write(chunk)) return true;
    return once(input, 'drain', { signal }).then(
      () => true,
      () => false,
    );
  };
  const iterator = archive.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  try {
    for await (const chunk of stopping(iterator, signal)) if (!(await write(chunk))) break;
  } catch {
    return; // the client has gone: the signal tells, and the program is ended
  } finally {
    input.end();
  }
}

/** Ends when the signal does, though the source may never say another word. */
async function* stopping(source: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  const stopped = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  for (;;) {
    const next = await Promise.race([iterator.next(), stopped]);
    if (next === undefined || next.done === true) return;
    yield next.value;
  }
}

function viewWords(view: FilesView, staging: string): string[] {
  const ids = view.ids === undefined ? [] : ['ids', String(view.ids.base), String(view.ids.size)];
  if (view.kind === 'folder') return ['folder', view.folder];
  if (view.kind === 'running') {
    return ['process', String(view.pid), view.cgroup, ...(view.bare ? ['bare'] : []), ...ids];
  }
  const { lowerDirs, upperDir, workDir } = view.rootfs;
  return [
    ...['staging', staging, 'upper', upperDir, 'work', workDir],
    ...lowerDirs.flatMap((folder) => ['layer', folder]),
    ...view.binds.flatMap(({ source, target, ...flags }) => ['bind', flagsOf(flags), source, target]),
    ...(view.readOnly ? ['read-only'] : []),
    ...ids,
  ];
}

function flagsOf(flags: Omit<BoundPath, 'source' | 'target'>): string {
  return `-${flags.recursive ? 'r' : ''}${flags.readOnly ? 'o' : ''}${flags.idmap ? 'i' : ''}`;
}
