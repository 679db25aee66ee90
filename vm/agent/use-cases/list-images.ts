/** `docker images`. */
import { EngineError } from '../../contract/errors.ts';
import { familiarName } from '../registry/reference.ts';
import { createdMs } from '../state/images.ts';
import type { ImageName, ImageRecords, KnownImage } from '../state/images.ts';
import { familiar, findImage, imageBytes, repoDigests, repoTags } from './find-image.ts';
import { matchesGlob } from './glob.ts';

/** An entry of `GET /images/json`. */
export interface ImageSummary {
  readonly Containers: number;
  /** Seconds since 1970. */
  readonly Created: number;
  readonly Id: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly ParentId: string;
  readonly RepoDigests: readonly string[];
  readonly RepoTags: readonly string[];
  /** -1: not computed. */
  readonly SharedSize: number;
  readonly Size: number;
}

export type ImageFilters = Readonly<Record<string, readonly string[]>>;

const known = ['dangling', 'label', 'before', 'since', 'reference', 'until'];

/** Throws `invalid-parameter` for unknown filters and `not-found` for `before` and `since` of no image. */
export function listImages(
  records: ImageRecords,
  options: { all: boolean; filters: ImageFilters; sharedSize: boolean },
): ImageSummary[] {
  const { filters } = options;
  const unknown = Object.keys(filters).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new EngineError('invalid-parameter', `Invalid filter '${unknown}'`);
  const images = records.all();
  const namesOf = groupNames(records.names());
  const keep = imageFilter(records, filters);
  // Steps of builds, that other images were built on.
  const parents = new Set(images.map(({ parentId }) => parentId));
  const sharedBytes = options.sharedSize ? sharedSizes(images) : undefined;
  return images.flatMap((image) => {
    const names = matchingNames(namesOf.get(image.id) ?? [], filters['reference']);
    if (names === undefined || !keep(image, names)) return [];
    const isStep = names.length === 0 && parents.has(image.id);
    if (isStep && (!options.all || filters['dangling'] !== undefined)) return [];
    return [
      {
        Containers: -1,
        Created: Math.floor(createdMs(image.config) / 1000),
        Id: image.id,
        Labels: image.config.config?.Labels ?? null,
        ParentId: image.parentId ?? '',
        RepoDigests: repoDigests(names),
        RepoTags: repoTags(names),
        SharedSize: sharedBytes?.get(image.id) ?? -1,
        Size: imageBytes(image),
      },
    ];
  });
}

/** With `reference`, only the names that match are shown; an image without any is left out. */
function matchingNames(names: readonly ImageName[], patterns: readonly string[] | undefined): ImageName[] | undefined {
  if (patterns === undefined || patterns.length === 0) return [...names];
  const matching = names.filter((name) =>
    patterns.some((pattern) => matchesGlob(pattern, familiar(name)) || matchesGlob(pattern, familiarName(name))),
  );
  return matching.length === 0 ? undefined : matching;
}

function imageFilter(
  records: ImageRecords,
  filters: ImageFilters,
): (image: KnownImage, names: readonly ImageName[]) => boolean {
  const dangling = (filters['dangling'] ?? []).map(parseBoolean);
  const time = (name: string): number[] =>
    (filters[name] ?? []).map((text) => createdMs(findImage(records, text).image.config));
  const [before, since] = [Math.min(...time('before')), Math.max(...time('since'))];
  const until = Math.min(...(filters['until'] ?? []).map(parseTime));
  const labels = filters['label'] ?? [];
  return (image, names) => {
    const created = createdMs(image.config);
    return (
      dangling.every((wanted) => wanted === !names.some(({ kind }) => kind === 'tag')) &&
      created < before &&
      created > since &&
      created < until &&
      labels.every((label) => hasLabel(image, label))
    );
  };
}

/** `name` or `name=value`. */
export function hasLabel(image: KnownImage, label: string): boolean {
  const at = label.indexOf('=');
  const value = image.config.config?.Labels?.[at < 0 ? label : label.slice(0, at)];
  return value !== undefined && (at < 0 || value === label.slice(at + 1));
}

export function parseBoolean(text: string): boolean {
  if (['1', 'true', 'True', 'TRUE', 't'].includes(text)) return true;
  if (['0', 'false', 'False', 'FALSE', 'f'].includes(text)) return false;
  throw new EngineError('invalid-parameter', `Invalid filter 'dangling=[${text}]'`);
}

/** Seconds since 1970, an RFC 3339 time, or a duration back from now (`24h`, `1h30m`). Milliseconds since 1970. */
export function parseTime(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  if (parts.length > 0 && parts.map(([whole]) => whole).join('') === text) {
    return Date.now() - parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0), 0);
  }
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new EngineError('invalid-parameter', `Invalid filter 'until=${text}'`);
  return time;
}

/** Bytes of the layers that another image also has, by image. */
function sharedSizes(images: readonly KnownImage[]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const image of images) {
    for (const diffId of new Set(image.layers.map((layer) => layer.diffId)))
      uses.set(diffId, (uses.get(diffId) ?? 0) + 1);
  }
  const shared = (image: KnownImage): number =>
    image.layers.reduce((sum, layer) => sum + ((uses.get(layer.diffId) ?? 0) > 1 ? layer.fileBytes : 0), 0);
  return new Map(images.map((image) => [image.id, shared(image)]));
}

function groupNames(names: readonly ImageName[]): Map<string, ImageName[]> {
  const groups = new Map<string, ImageName[]>();
  for (const name of names) {
    const group = groups.get(name.imageId);
    if (group === undefined) groups.set(name.imageId, [name]);
    else group.push(name);
  }
  return groups;
}
