/** Reads a container's log as `GET /containers/:id/logs` sends it, from its end or its start, and on while it grows. */
import { watch } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { openLogFiles, openNextLogFile } from './log-files.ts';
import type { LogFileHandle } from './log-files.ts';
import { LogFormatter } from './log-format.ts';
import type { LogSelection } from './log-format.ts';
import { findTail } from './log-tail.ts';

export interface LogRequest extends LogSelection {
  /** Only this many lines from the end; undefined: all. */
  readonly tail: number | undefined;
}

export interface FollowOptions {
  /** Resolves when the container has ended and all of its output is in the file. */
  readonly ended: Promise<unknown>;
}

const blockBytes = 256 * 1024;
const newline = 0x0a;

/**
 * Yields output ready to be sent. Without `follow` it ends at the log's present end; with it, when the container has
 * ended, the time `until` has come, or `signal` aborts. A log that was never written yields nothing.
 */
export async function* readLogs(
  logPath: string,
  request: LogRequest,
  follow: FollowOptions | undefined,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const changes = follow === undefined ? undefined : new LogChanges(logPath, follow, request, signal);
  const files = await openLogFiles(logPath);
  const formatter = new LogFormatter(request);
  try {
    const start = request.tail === undefined ? { fileIndex: 0, offset: 0 } : await findTail(files, request.tail);
    for (let index = start.fileIndex; index < files.length; index += 1) {
      const handle = files[index];
      if (handle === undefined) break;
      const offset = index === start.fileIndex ? start.offset : 0;
      const isNewest = index === files.length - 1;
      if (isNewest && changes !== undefined) {
        yield* followFrom(logPath, handle, offset, formatter, changes);
        return;
      }
      const reader = new LineReader(handle.file, offset);
      for (let block = await reader.next(); block !== undefined; block = await reader.next()) {
        if (signal.aborted) return;
        const output = formatter.format(block);
        if (output.length > 0) yield output;
        if (formatter.isPastEnd) return;
      }
    }
  } finally {
    changes?.close();
    for (const { file } of files) await file.close();
  }
}

async function* followFrom(
  logPath: string,
  first: LogFileHandle,
  offset: number,
  formatter: LogFormatter,
  changes: LogChanges,
): AsyncGenerator<Buffer> {
  let current = first;
  let reader = new LineReader(current.file, offset);
  try {
    for (;;) {
      // Taken before the read, so that the last bytes of an ended container are read once more.
      const { isOver } = changes;
      for (let block = await reader.next(); block !== undefined; block = await reader.next()) {
        const output = formatter.format(block);
        if (output.length > 0) yield output;
        if (formatter.isPastEnd || changes.isAborted) return;
      }
      const next = await openNextLogFile(logPath, current.inode);
      if (next !== undefined) {
        // Written between the last read and the rotation.
        for (let block = await reader.next(); block !== undefined; block = await reader.next()) {
          const output = formatter.format(block);
          if (output.length > 0) yield output;
        }
        if (current !== first) await current.file.close();
        current = next;
        reader = new LineReader(current.file, 0);
        continue;
      }
      if (isOver) return;
      await changes.wait();
      if (changes.isAborted) return;
    }
  } finally {
    if (current !== first) await current.file.close();
  }
}

/** Reads whole lines in large blocks. */
class LineReader {
  private readonly file: FileHandle;
  private position: number;
  private rest: Buffer = Buffer.alloc(0);

  constructor(file: FileHandle, offset: number) {
    this.file = file;
    this.position = offset;
  }

  /** Some complete lines, or undefined at the present end. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const block = Buffer.allocUnsafe(this.rest.length + blockBytes);
      this.rest.copy(block);
      const { bytesRead } = await this.file.read(block, this.rest.length, blockBytes, this.position);
      if (bytesRead === 0) {
        // A log of one file is cut to nothing when it is full.
        if ((await this.file.stat()).size >= this.position) return undefined;
        this.position = 0;
        this.rest = Buffer.alloc(0);
        continue;
      }
      this.position += bytesRead;
      const filled = block.subarray(0, this.rest.length + bytesRead);
      const end = filled.lastIndexOf(newline) + 1;
      this.rest = Buffer.from(filled.subarray(end));
      if (end > 0) return filled.subarray(0, end);
    }
  }
}

/** Wakes a follower by inotify; never polls. */
class LogChanges {
  isOver = false;
  isAborted = false;
  private dirty = false;
  private wake: (() => void) | undefined;
  private readonly watcher: ReturnType<typeof watch>;
  private readonly timer: NodeJS.Timeout | undefined;
  private readonly signal: AbortSignal;
  private readonly onAbort = (): void => {
    this.isAborted = true;
    this.touch();
  };

  constructor(logPath: string, follow: FollowOptions, selection: LogSelection, signal: AbortSignal) {
    this.signal = signal;
    this.watcher = watch(path.dirname(logPath), () => this.touch());
    // The folder goes when the container is removed; that is the end too.
    this.watcher.on('error', () => this.finish());
    void follow.ended.then(
      () => this.finish(),
      () => this.finish(),
    );
    if (signal.aborted) this.isAborted = true;
    signal.addEventListener('abort', this.onAbort, { once: true });
    if (selection.until !== undefined) {
      this.timer = setTimeout(() => this.finish(), Math.min(2 ** 31 - 1, Date.parse(selection.until) - Date.now() + 1));
    }
  }

  /** Until something may have been written, or it is over. */
  async wait(): Promise<void> {
    if (!this.dirty) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    this.dirty = false;
  }

  close(): void {
    this.watcher.close();
    clearTimeout(this.timer);
    this.signal.removeEventListener('abort', this.onAbort);
  }

  private finish(): void {
    this.isOver = true;
    this.touch();
  }

  private touch(): void {
    this.dirty = true;
    this.wake?.();
    this.wake = undefined;
  }
}
