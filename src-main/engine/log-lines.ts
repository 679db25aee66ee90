/** From the engine's log bytes to lines, and on after the source was reopened, with no line twice and none left out. */
import type { LogLine } from '../contract/engine.ts';
import type { StreamPiece } from './demultiplex.ts';

/** A line longer than this is handed out in pieces of this size. */
const maxLineBytes = 256 * 1024;

/** Cuts each stream into lines of the form `TIMESTAMP TEXT` (the engine was asked for timestamps). */
export class LogLineSplitter {
  readonly #partial: Record<StreamPiece['stream'], Buffer[]> = { stdout: [], stderr: [] };
  readonly #bytes: Record<StreamPiece['stream'], number> = { stdout: 0, stderr: 0 };
  /** A line without a timestamp of its own (a piece of a long one) has that of the line before. */
  #lastTime = '1970-01-01T00:00:00.000000000Z';

  *push({ stream, data }: StreamPiece): Generator<LogLine, void, undefined> {
    let from = 0;
    for (let to = data.indexOf(10); to !== -1; to = data.indexOf(10, from)) {
      this.#keep(stream, data.subarray(from, to));
      from = to + 1;
      yield this.#take(stream);
    }
    this.#keep(stream, data.subarray(from));
    if (this.#bytes[stream] >= maxLineBytes) yield this.#take(stream);
  }

  /** What came after the last line ends. */
  *end(): Generator<LogLine, void, undefined> {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#bytes[stream] > 0) yield this.#take(stream);
    }
  }

  #keep(stream: StreamPiece['stream'], data: Buffer): void {
    this.#partial[stream].push(data);
    this.#bytes[stream] += data.length;
  }

  #take(stream: StreamPiece['stream']): LogLine {
    const whole = Buffer.concat(this.#partial[stream]).toString('utf8');
    this.#partial[stream] = [];
    this.#bytes[stream] = 0;
    const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?/.exec(whole);
    if (match?.[1] !== undefined) this.#lastTime = match[1];
    const text = match ? whole.slice(match[0].length) : whole;
    return { stream, time: this.#lastTime, text: text.endsWith('\r') ? text.slice(0, -1) : text };
  }
}

/**
 * Where a reader of a log is. After the source was lost, reopen it with `since` {@link position} and pass every line
 * through {@link fresh}: those already handed out are told by time and, for lines of the same instant, by count.
 */
export class LogCursor {
  #time = '';
  /** Lines of that very time already handed out, per stream. */
  #seen: Record<LogLine['stream'], number> = { stdout: 0, stderr: 0 };
  #toSkip: Record<LogLine['stream'], number> = { stdout: 0, stderr: 0 };

  /** The time of the last line, or undefined before the first. */
  get position(): string | undefined {
    return this.#time === '' ? undefined : this.#time;
  }

  /** The source is about to be read again from {@link position}. */
  reopen(): void {
    this.#toSkip = { ...this.#seen };
  }

  /** Whether this line was not handed out before. */
  fresh(line: LogLine): boolean {
    const order = compareTimes(line.time, this.#time);
    if (this.#time !== '' && order < 0) return !this.#reopened();
    if (order > 0) {
      this.#time = line.time;
      this.#seen = { stdout: 0, stderr: 0 };
      this.#toSkip = { stdout: 0, stderr: 0 };
    } else if (this.#toSkip[line.stream] > 0) {
      this.#toSkip[line.stream] -= 1;
      return false;
    }
    this.#seen[line.stream] += 1;
    return true;
  }

  /** Until the known lines have passed again, an earlier time is an old line; later it is only the clock stepping back. */
  #reopened(): boolean {
    return this.#toSkip.stdout > 0 || this.#toSkip.stderr > 0;
  }
}

/** RFC 3339 times in UTC with any number of fraction digits, as numbers would compare. */
function compareTimes(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [timeKey(a), timeKey(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function timeKey(time: string): string {
  const [seconds = '', fraction = ''] = time.replace(/Z$/, '').split('.');
  return `${seconds}.${fraction.padEnd(9, '0')}`;
}

/** An RFC 3339 time as the engine's `since` wants it: seconds and nanoseconds. */
export function toEngineTime(time: string): string {
  const fraction = /\.(\d{1,9})/.exec(time)?.[1] ?? '';
  const seconds = Math.floor(Date.parse(time) / 1000);
  return `${seconds}.${fraction.padEnd(9, '0')}`;
}
