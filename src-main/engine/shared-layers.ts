/** Which layers images have in common. Pure. */
import type { HistoryStep } from '../contract/engine.ts';

export interface LayeredImage {
  readonly name: string;
  /** Digests, the lowest first. */
  readonly layers: readonly string[];
}

/** For each layer the names of the others that stand on the same ones up to it: only then is it kept once. */
export function sharersOf(layers: readonly string[], others: readonly LayeredImage[]): readonly (readonly string[])[] {
  return layers.map((_, top) =>
    others
      .filter((other) => layers.slice(0, top + 1).every((layer, index) => other.layers[index] === layer))
      .map(({ name }) => name),
  );
}

/** Told only where the steps that made something are as many as the layers. */
export function withSharers(
  history: readonly HistoryStep[],
  sharers: readonly (readonly string[])[],
): readonly HistoryStep[] {
  if (history.filter(({ empty }) => !empty).length !== sharers.length) return history;
  let layer = 0;
  return history.map((step) => {
    const sharedWith = step.empty ? undefined : sharers[layer++];
    return sharedWith === undefined ? step : { ...step, sharedWith };
  });
}
