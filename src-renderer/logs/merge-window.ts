/**
 * Lines of several logs put in order of time. They arrive each log by itself, a little late: what came is held for a
 * moment, so that a line written earlier elsewhere can still come before it. Pure; times come in as values.
 */
import type { LogLine } from '../../src-main/contract/engine.ts';
import { timeKey } from './log-times.ts';

/** A line and which log it is of. */
interface MergedLine extends LogLine {
  readonly origin: number;
}

/** How long a live line is held. */
const holdMs = 400;
/** The old lines of all logs are in when each has given some and for so long none came… */
const quietMs = 400;
/** …or, since some may have none, when for so long none came… */
const silentMs = 1000;
/** …or after this, when some log never rests. */
const openingMs = 3000;

interface Waiting {
  readonly line: MergedLine;
  /** Made once: sorting compares each line many times. */
  readonly key: string;
  readonly atMs: number;
}

export class MergeWindow {
  readonly #openedAtMs: number;
  #waiting: Waiting[] = [];
  #lastAtMs: number;
  #opening = true;
  /** Those that have given no line yet. */
  readonly #silent: Set<number>;

  /** @param logs how many there are; each is named by its number from 0 */
  constructor(nowMs: number, logs: number) {
    this.#silent = new Set(Array(logs).keys());
    this.#openedAtMs = nowMs;
    this.#lastAtMs = nowMs;
  }

  add(lines: readonly LogLine[], origin: number, nowMs: number): void {
    for (const { stream, time, text } of lines) {
      this.#waiting.push({ line: { stream, time, text, origin }, key: timeKey(time), atMs: nowMs });
    }
    if (lines.length > 0) this.#silent.delete(origin);
    this.#lastAtMs = nowMs;
  }

  /** The lines whose time has come, in order. */
  take(nowMs: number): readonly MergedLine[] {
    if (this.#opening) {
      const enoughMs = this.#silent.size > 0 ? silentMs : quietMs;
      if (nowMs - this.#lastAtMs < enoughMs && nowMs - this.#openedAtMs < openingMs) return [];
      this.#opening = false;
      return this.#takeUntil(nowMs);
    }
    return this.#takeUntil(nowMs - holdMs);
  }

  #takeUntil(atMs: number): readonly MergedLine[] {
    const due = this.#waiting.filter((entry) => entry.atMs <= atMs);
    if (due.length > 0) this.#waiting = this.#waiting.filter((entry) => entry.atMs > atMs);
    due.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.line.origin - b.line.origin));
    return due.map(({ line }) => line);
  }
}
