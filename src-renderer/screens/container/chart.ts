/** From samples to the lines of a chart. Pure; times come in as values. */

export type Point = readonly [timeMs: number, value: number];

/** Missing for longer than this, the line is interrupted: nobody looked, or nothing ran. */
const gapMs = 5000;

/**
 * At most about `columns` points, each the highest of its stretch of time, so that a short peak is never lost. The
 * stretches stand still while time goes on: a line does not tremble with each new sample.
 */
export function thinOut(points: readonly Point[], spanMs: number, columns: number): readonly Point[] {
  const stretchMs = spanMs / columns;
  if (stretchMs <= 1500) return points;
  const thin: Point[] = [];
  let stretch = -1;
  for (const point of points) {
    const own = Math.floor(point[0] / stretchMs);
    const last = thin.at(-1);
    if (own !== stretch || !last) thin.push(point);
    else if (point[1] > last[1]) thin[thin.length - 1] = point;
    stretch = own;
  }
  return thin;
}

export interface Frame {
  readonly fromMs: number;
  readonly toMs: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** SVG path; the pen is lifted where samples are missing. `stretchMs`: how far apart neighbours may be by thinning. */
export function linePath(points: readonly Point[], frame: Frame, stretchMs = 0): string {
  let path = '';
  let before = -Infinity;
  for (const [timeMs, value] of points) {
    const pen = timeMs - before > gapMs + 2 * stretchMs ? 'M' : 'L';
    path += `${pen}${xOf(timeMs, frame).toFixed(1)} ${yOf(value, frame).toFixed(1)}`;
    before = timeMs;
  }
  return path;
}

export function xOf(timeMs: number, { fromMs, toMs, width }: Frame): number {
  return ((timeMs - fromMs) / (toMs - fromMs)) * width;
}

function yOf(value: number, { top, height }: Frame): number {
  return height - 1 - Math.min(1, Math.max(0, value) / top) * (height - 2);
}

/** A round number at or above the highest value: 1, 2 or 5 times a power of ten; never below `least`. */
export function niceTop(highest: number, least: number): number {
  const wanted = Math.max(highest, least, 1e-9);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= wanted * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** The sample nearest to this time, if one is near. Samples are in order of time. */
export function nearest<T extends { readonly timeMs: number }>(samples: readonly T[], timeMs: number): T | undefined {
  let low = 0;
  let high = samples.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((samples[middle]?.timeMs ?? 0) < timeMs) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [samples[low - 1], samples[low]];
  const distance = (sample: T | undefined) => (sample ? Math.abs(sample.timeMs - timeMs) : Infinity);
  const best = distance(before) < distance(after) ? before : after;
  return distance(best) <= gapMs ? best : undefined;
}
