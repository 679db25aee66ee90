/** What people mean by an image: a name, a name with a digest, an id or the start of one. */
import { createHash } from 'node:crypto';
import { EngineError } from '../../contract/errors.ts';
import { familiarName, familiarString, parseReference, withDefaultTag } from '../registry/reference.ts';
import type { ImageReference } from '../registry/reference.ts';
import type { ImageName, ImageRecords, KnownImage, NameKey } from '../state/images.ts';

export interface FoundImage {
  readonly image: KnownImage;
  /** Undefined when it was found by its id. */
  readonly reference: ImageReference | undefined;
}

/** Throws `not-found` as Docker does: `No such image: x:latest`. */
export function findImage(records: ImageRecords, text: string): FoundImage {
  const id = /^(?:sha256:)?([a-f0-9]{64})$/.exec(text)?.[1];
  if (id !== undefined) {
    const image = records.get(`sha256:${id}`);
    if (image === undefined) throw noSuchImage(text);
    return { image, reference: undefined };
  }
  const reference = /^sha256:[a-f0-9]+$/.test(text) ? undefined : withDefaultTag(parseReference(text));
  const named = reference === undefined ? undefined : records.find(nameKey(reference));
  const byName = named === undefined ? undefined : records.get(named);
  if (byName !== undefined) return { image: byName, reference };
  const byId = findByPrefix(records, text);
  if (byId !== undefined) return { image: byId, reference: undefined };
  throw noSuchImage(reference === undefined ? text : familiarString(reference));
}

export function nameKey(reference: ImageReference): NameKey {
  const { domain, path, tag, digest } = reference;
  return digest === undefined
    ? { domain, path, kind: 'tag', value: tag ?? 'latest' }
    : { domain, path, kind: 'digest', value: digest };
}

/** `busybox:latest`, `busybox@sha256:…`. */
export function familiar(name: NameKey): string {
  return `${familiarName(name)}${name.kind === 'tag' ? ':' : '@'}${name.value}`;
}

export function repoTags(names: readonly ImageName[]): string[] {
  return names.filter(({ kind }) => kind === 'tag').map(familiar);
}

export function repoDigests(names: readonly ImageName[]): string[] {
  return names.filter(({ kind }) => kind === 'digest').map(familiar);
}

export function imageBytes(image: KnownImage): number {
  return image.layers.reduce((sum, layer) => sum + layer.fileBytes, 0);
}

/** Names of stacks of layers (image specification, "Layer ChainID"), lowest first. */
export function chainIds(image: KnownImage): string[] {
  const chain: string[] = [];
  for (const { diffId } of image.layers) {
    const below = chain.at(-1);
    chain.push(
      below === undefined ? diffId : `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`,
    );
  }
  return chain;
}

function findByPrefix(records: ImageRecords, text: string): KnownImage | undefined {
  const prefix = text.replace(/^sha256:/, '');
  if (!/^[a-f0-9]{1,63}$/.test(prefix)) return undefined;
  const matching = records.all().filter((image) => image.id.startsWith(`sha256:${prefix}`));
  return matching.length === 1 ? matching[0] : undefined;
}

function noSuchImage(name: string): EngineError {
  return new EngineError('not-found', `No such image: ${name}`);
}
