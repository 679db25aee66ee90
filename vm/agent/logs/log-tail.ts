/** Finds where the last lines of a log begin, reading from its end. */
import type { FileHandle } from 'node:fs/promises';
import { LogEntry } from './log-entry.ts';

const blockBytes = 64 * 1024;
const newline = 0x0a;

export interface LogPosition {
  /** Index in the list of files, oldest first. */
  readonly fileIndex: number;
  readonly offset: number;
}

/** Where the last `count` lines begin. A line kept in parts counts once. */
export async function findTail(files: readonly { readonly file: FileHandle }[], count: number): Promise<LogPosition> {
  const end = await endOf(files);
  if (count === 0) return end;
  let found = 0;
  for (let fileIndex = files.length - 1; fileIndex >= 0; fileIndex -= 1) {
    const file = files[fileIndex]?.file;
    if (file === undefined) break;
    for await (const { line, end: lineEnd } of linesBackwards(file)) {
      const entry = LogEntry.from(line);
      const isFirst = found === 0;
      // The end of a line: what follows it is a line of its own. The very last one counts even when it goes on.
      if (isFirst || entry === undefined || entry.endsLine) found += 1;
      if (found > count) return { fileIndex, offset: lineEnd };
    }
  }
  return { fileIndex: 0, offset: 0 };
}

async function endOf(files: readonly { readonly file: FileHandle }[]): Promise<LogPosition> {
  const last = files.at(-1);
  return { fileIndex: Math.max(0, files.length - 1), offset: last === undefined ? 0 : (await last.file.stat()).size };
}

/** Complete lines from the last to the first; `end` is the offset after the line's newline. */
async function* linesBackwards(file: FileHandle): AsyncGenerator<{ line: Buffer; end: number }> {
  let position = (await file.stat()).size;
  // Bytes from `position` on that belong to lines whose beginning has not been read yet.
  let rest = Buffer.alloc(0);
  let isTorn = true;
  while (position > 0) {
    const length = Math.min(blockBytes, position);
    position -= length;
    const block = Buffer.alloc(length);
    const { bytesRead } = await file.read(block, 0, length, position);
    rest = Buffer.concat([block.subarray(0, bytesRead), rest]);
    let end = rest.length;
    if (isTorn) {
      // What follows the last newline is still being written.
      const last = rest.lastIndexOf(newline);
      if (last < 0) continue;
      end = last + 1;
      isTorn = false;
    }
    while (end > 0) {
      const before = end >= 2 ? rest.lastIndexOf(newline, end - 2) : -1;
      if (before < 0 && position > 0) break;
      yield { line: rest.subarray(before + 1, end - 1), end: position + end };
      end = before + 1;
    }
    rest = rest.subarray(0, end);
  }
}
