/** Where the reading of one log stopped, so that what comes again after a break is told from what is new. Pure. */
import type { LogLine } from '../../src-main/contract/engine.ts';
import { compareTimes } from './log-times.ts';

export class ResumePoint {
  #time = '';
  /** The lines of that very time, since several may share it. */
  #seen: string[] = [];
  #toSkip: string[] = [];
  #resumed = false;

  /** The time of the newest line, to go on from. */
  get time(): string | undefined {
    return this.#time === '' ? undefined : this.#time;
  }

  /** The log is about to be read again from {@link time}, which takes in the lines of that time. */
  resume(): void {
    this.#resumed = true;
    this.#toSkip = [...this.#seen];
  }

  /** Without the lines that were here before. */
  fresh(lines: readonly LogLine[]): readonly LogLine[] {
    return lines.filter((line) => this.#take(line));
  }

  #take({ time, stream, text }: LogLine): boolean {
    const order = this.#time === '' ? 1 : compareTimes(time, this.#time);
    const key = `${stream} ${text}`;
    if (order > 0) {
      this.#time = time;
      this.#seen = [key];
      this.#resumed = false;
      return true;
    }
    if (this.#resumed) {
      if (order < 0) return false;
      const known = this.#toSkip.indexOf(key);
      if (known !== -1) {
        this.#toSkip.splice(known, 1);
        return false;
      }
    }
    if (order === 0) this.#seen.push(key);
    return true;
  }
}
