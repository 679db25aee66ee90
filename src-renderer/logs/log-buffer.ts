/** The lines of one log that are kept: bounded, numbered from the first that came, oldest out first; older ones can come in front. */
import type { LogLine } from '../../src-main/contract/engine.ts';
import { hasEscapes, plainStyle, styleAfter, type AnsiStyle } from './ansi.ts';

/** A line as it came; of several logs merged, with which it is of. */
export interface IncomingLine extends LogLine {
  readonly origin?: number;
}

export interface KeptLine extends IncomingLine {
  /** Its number since the log was opened, from 0, and below for those that came in front; stays the same when others go. */
  readonly number: number;
  /** The style left over by the lines before it. */
  readonly start: AnsiStyle;
}

interface Bounds {
  readonly lines: number;
  readonly chars: number;
}

export interface LogLimits {
  readonly live: Bounds;
  /** While somebody reads older lines: those must not go from under their eyes. */
  readonly held: Bounds;
}

const logLimits: LogLimits = {
  live: { lines: 200_000, chars: 60_000_000 },
  held: { lines: 1_500_000, chars: 250_000_000 },
};

/** Dead space at the front is given back when it gets this long. */
const compactAt = 16_384;

export class LogBuffer {
  readonly #limits: LogLimits;
  #lines: (KeptLine | undefined)[] = [];
  #head = 0;
  #chars = 0;
  #next = 0;
  readonly #styles = new Map<string, AnsiStyle>();
  /** Set while somebody reads older lines. */
  held = false;

  constructor(limits: LogLimits = logLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#lines.length - this.#head;
  }

  /** The number of the oldest line kept. */
  get firstNumber(): number {
    return this.#next - this.size;
  }

  /** The number that the next line gets. */
  get endNumber(): number {
    return this.#next;
  }

  /** By place among the kept lines. */
  at(index: number): KeptLine | undefined {
    return this.#lines[this.#head + index];
  }

  append(lines: readonly IncomingLine[]): void {
    for (const line of styled(lines, this.#styles)) this.#push(line);
    this.#trim();
  }

  /** A line of another buffer, as it looks there. */
  keep(line: KeptLine): void {
    this.#push(line);
    this.#trim();
  }

  /** Lines from before the first, as many of the newest as there is room for; gives how many there was. */
  prepend(lines: readonly IncomingLine[]): number {
    return this.keepBefore(styled(lines, new Map()));
  }

  /** {@link prepend} for lines of another buffer, as they look there. */
  keepBefore(lines: readonly Omit<KeptLine, 'number'>[]): number {
    let room = this.#limits.held.lines - this.size;
    let taken = 0;
    for (let index = lines.length - 1; index >= 0 && room > 0; index -= 1) {
      const chars = lines[index]?.text.length ?? 0;
      if (this.#chars + chars > this.#limits.held.chars) break;
      this.#chars += chars;
      room -= 1;
      taken += 1;
    }
    const first = this.firstNumber - taken;
    const older = lines.slice(lines.length - taken).map((line, index) => ({ ...line, number: first + index }));
    this.#lines = [...older, ...this.#lines.slice(this.#head)];
    this.#head = 0;
    return taken;
  }

  *[Symbol.iterator](): Generator<KeptLine, void, undefined> {
    for (let index = 0; index < this.size; index += 1) {
      const line = this.at(index);
      if (line) yield line;
    }
  }

  #push(line: Omit<KeptLine, 'number'>): void {
    this.#lines.push({ ...line, number: this.#next });
    this.#next += 1;
    this.#chars += line.text.length;
  }

  #trim(): void {
    const { lines, chars } = this.held ? this.#limits.held : this.#limits.live;
    while (this.size > 1 && (this.size > lines || this.#chars > chars)) {
      this.#chars -= this.#lines[this.#head]?.text.length ?? 0;
      this.#lines[this.#head] = undefined;
      this.#head += 1;
    }
    if (this.#head > compactAt && this.#head * 2 > this.#lines.length) {
      this.#lines = this.#lines.slice(this.#head);
      this.#head = 0;
    }
  }
}

/** Each with the style that those of its writer before it have left over. */
function styled(lines: readonly IncomingLine[], styles: Map<string, AnsiStyle>): Omit<KeptLine, 'number'>[] {
  return lines.map((line) => {
    const { stream, text, origin = 0 } = line;
    const writer = `${stream} ${origin}`;
    const start = styles.get(writer) ?? plainStyle;
    if (hasEscapes(text)) styles.set(writer, styleAfter(text, start));
    return { ...line, start };
  });
}
