/** Which lines of a growing buffer were looked at: a stretch from its end that reaches for both ends, a slice at a time. */
import type { KeptLine, LogBuffer } from './log-buffer.ts';

const linesPerLook = 256;

export class ScannedRange {
  readonly #buffer: LogBuffer;
  /** The first that was looked at, and the one after the last. */
  #low: number;
  #high: number;

  constructor(buffer: LogBuffer) {
    this.#buffer = buffer;
    this.#low = buffer.endNumber;
    this.#high = buffer.endNumber;
  }

  /** Whether every kept line was looked at. */
  get complete(): boolean {
    return this.#high >= this.#buffer.endNumber && this.#low <= this.#buffer.firstNumber;
  }

  /** Looks at lines for about this long: at what is new first, then backwards. */
  scan(
    budgetMs: number,
    look: { readonly forth: (line: KeptLine) => void; readonly back: (line: KeptLine) => void },
    now: () => number = () => performance.now(),
  ): void {
    const { firstNumber } = this.#buffer;
    this.#high = Math.max(this.#high, firstNumber);
    this.#low = Math.max(this.#low, firstNumber);
    const end = now() + budgetMs;
    do {
      for (let looked = 0; looked < linesPerLook && !this.complete; looked += 1) {
        const forth = this.#high < this.#buffer.endNumber;
        const number = forth ? this.#high++ : --this.#low;
        const line = this.#buffer.at(number - firstNumber);
        if (line) look[forth ? 'forth' : 'back'](line);
      }
    } while (!this.complete && now() < end);
  }
}
