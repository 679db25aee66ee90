/** The lines of one log that the window keeps: bounded, numbered from the first that came, oldest out first. */
import type { LogLine } from '../../src-main/contract/engine.ts';
import { hasEscapes, plainStyle, styleAfter, type AnsiStyle } from './ansi.ts';

/** A line as it came; of several logs merged, with which it is of. */
interface IncomingLine extends LogLine {
  readonly origin?: number;
}

export interface KeptLine extends IncomingLine {
  /** Its number since the log was opened, from 0; stays the same when older lines go. */
  readonly number: number;
  /** The style left over by the lines before it. */
  readonly start: AnsiStyle;
}

export interface LogLimits {
  readonly maxLines: number;
  readonly maxChars: number;
  /** While somebody reads older lines, this much more is kept before any go from under their eyes. */
  readonly heldFactor: number;
}

const logLimits: LogLimits = { maxLines: 200_000, maxChars: 60_000_000, heldFactor: 1.5 };

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

  /** The number of the oldest line kept: how many are gone. */
  get firstNumber(): number {
    return this.#next - this.size;
  }

  /** By place among the kept lines. */
  at(index: number): KeptLine | undefined {
    return this.#lines[this.#head + index];
  }

  last(): KeptLine | undefined {
    return this.#lines.at(-1);
  }

  append(lines: readonly IncomingLine[]): void {
    for (const line of lines) {
      const { stream, text, origin = 0 } = line;
      const writer = `${stream} ${origin}`;
      const start = this.#styles.get(writer) ?? plainStyle;
      if (hasEscapes(text)) this.#styles.set(writer, styleAfter(text, start));
      this.#push({ ...line, number: this.#next, start });
    }
    this.#trim();
  }

  /** A line of another buffer, as it looks there. */
  keep(line: KeptLine): void {
    this.#push({ ...line, number: this.#next });
    this.#trim();
  }

  #push(line: KeptLine): void {
    this.#lines.push(line);
    this.#next += 1;
    this.#chars += line.text.length;
  }

  *[Symbol.iterator](): Generator<KeptLine, void, undefined> {
    for (let index = 0; index < this.size; index += 1) {
      const line = this.at(index);
      if (line) yield line;
    }
  }

  #trim(): void {
    const factor = this.held ? this.#limits.heldFactor : 1;
    const maxLines = this.#limits.maxLines * factor;
    const maxChars = this.#limits.maxChars * factor;
    while (this.size > 1 && (this.size > maxLines || this.#chars > maxChars)) {
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
