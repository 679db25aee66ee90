/** What a clean-up of images takes, and how much comes back at least. Pure. */
import type { ImageView } from '../../../src-main/contract/engine.ts';

export interface PrunePreview {
  readonly going: readonly ImageView[];
  /** In layers that only one image has; layers shared among those that go come back as well, beyond this. */
  readonly leastBytes: number;
  /** As if every layer of theirs came back. */
  readonly mostBytes: number;
}

/** @param unused also those with a name that no container is made from */
export function previewPrune(images: readonly ImageView[], unused: boolean): PrunePreview {
  const going = images.filter(({ tags, usedBy }) => usedBy.length === 0 && (unused || tags.length === 0));
  const sum = (bytes: (image: ImageView) => number) => going.reduce((total, image) => total + bytes(image), 0);
  return {
    going,
    leastBytes: sum(({ sizeBytes, sharedBytes = 0 }) => sizeBytes - sharedBytes),
    mostBytes: sum(({ sizeBytes }) => sizeBytes),
  };
}
