/** How fast bytes went over the last seconds. Pure; times come in as values. */

/** Newest last. */
export type SpeedSamples = readonly (readonly [timeMs: number, bytes: number])[];

const spanMs = 4000;

/** @param bytes gone so far */
export function addSample(samples: SpeedSamples, nowMs: number, bytes: number): SpeedSamples {
  return [...samples, [nowMs, bytes] as const].filter(([time]) => nowMs - time <= spanMs);
}

/** Bytes per second; undefined when nothing moves. */
export function speedOf(samples: SpeedSamples): number | undefined {
  const [first] = samples;
  const last = samples.at(-1);
  if (!first || !last || last[0] - first[0] < 250 || last[1] <= first[1]) return undefined;
  return ((last[1] - first[1]) * 1000) / (last[0] - first[0]);
}

/** Not every piece is worth a sample. */
const sampleEveryMs = 100;

/** Counts the bytes of one transfer. */
export class ByteMeter {
  readonly #total: number | undefined;
  #samples: SpeedSamples = [];
  #done = 0;

  /** @param total when it is known */
  constructor(total?: number) {
    this.#total = total;
  }

  get done(): number {
    return this.#done;
  }

  /** What a task reports after these bytes too. */
  add(
    bytes: number,
    nowMs = Date.now(),
  ): { bytes: { done: number; total?: number }; fraction?: number; bytesPerSecond?: number } {
    this.#done += bytes;
    const last = this.#samples.at(-1);
    if (!last || nowMs - last[0] >= sampleEveryMs) this.#samples = addSample(this.#samples, nowMs, this.#done);
    const speed = speedOf(this.#samples);
    return {
      bytes: { done: this.#done, ...(this.#total === undefined ? {} : { total: this.#total }) },
      ...(this.#total === undefined || this.#total === 0 ? {} : { fraction: Math.min(1, this.#done / this.#total) }),
      ...(speed === undefined ? {} : { bytesPerSecond: speed }),
    };
  }
}
