/**
 * `docker load`: images from an archive, in OCI layout or as older `docker save` writes them. All of it is unpacked aside
 * first, so that an archive that breaks off leaves nothing; each image then is there as a whole or not at all.
 */
import { mkdir } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../../contract/errors.ts';
import { LayoutSource } from '../registry/layout.ts';
import { familiarString, parseReference, shortId, withDefaultTag } from '../registry/reference.ts';
import type { ImageReference } from '../registry/reference.ts';
import { UnpackError } from '../snapshots/unpack-program.ts';
import type { StoredImage } from '../state/images.ts';
import type { LayerStage } from './fetch-layer.ts';
import { outcomeOf } from './add-layer.ts';
import { nameKey } from './find-image.ts';
import type { ImageParts } from './image-parts.ts';
import { bringSaved, readSavedImages } from './load-saved-image.ts';
import type { SavedImage } from './load-saved-image.ts';
import { bringContent, recordOf } from './pull-image.ts';
import { progressBar } from './pull-progress.ts';
import type { ProgressLine } from './pull-progress.ts';

type Report = (line: ProgressLine) => void;

/** Annotations that name an image: containerd's whole reference, and the specification's, often only a tag. */
const nameAnnotations = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];
const maxImages = 1000;

export async function loadImages(
  parts: ImageParts,
  archive: Readable,
  options: { readonly quiet: boolean },
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const folder = parts.blobs.newFile();
  await mkdir(folder, { mode: 0o700 });
  try {
    await unpackArchive(parts, archive, folder, signal);
    const progress = options.quiet ? () => undefined : report;
    const saved = await readSavedImages(folder);
    const source = new LayoutSource(folder);
    const entries = await source.entries();
    if (saved.length === 0 && entries.length === 0) {
      throw new EngineError('invalid-parameter', 'invalid archive: it holds neither manifest.json nor index.json');
    }
    if (saved.length + entries.length > maxImages) {
      throw new EngineError('invalid-parameter', `invalid archive: it holds more than ${maxImages} images`);
    }
    if (entries.length > 0) await loadLayout(parts, source, entries, saved, { progress, report }, signal);
    else for (const image of saved) await loadSaved(parts, folder, image, { progress, report }, signal);
  } finally {
    await parts.program.removeFolder(folder);
  }
}

async function unpackArchive(parts: ImageParts, archive: Readable, folder: string, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const unpack = parts.program.startLayer({ root: folder, plain: true }, AbortSignal.any([signal, stop.signal]));
  try {
    await outcomeOf(unpack, pipeline(archive, unpack.input, { signal }), stop);
  } catch (error) {
    if (!(error instanceof UnpackError)) throw error;
    throw new EngineError(
      error.kind === 'disk-full' || error.kind === 'io' ? 'system' : 'invalid-parameter',
      error.kind === 'disk-full' ? 'no space left on device' : `invalid archive: ${error.message}`,
      { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) },
    );
  }
}

interface Reports {
  readonly progress: Report;
  readonly report: Report;
}

async function loadLayout(
  parts: ImageParts,
  source: LayoutSource,
  entries: Awaited<ReturnType<LayoutSource['entries']>>,
  saved: readonly SavedImage[],
  reports: Reports,
  signal: AbortSignal,
): Promise<void> {
  // An image with several names has an entry for each.
  for (const digest of new Set(entries.map((entry) => entry.digest))) {
    using brought = await bringContent(
      parts,
      {
        ...{ source, target: digest, name: shortId(digest), platform: undefined },
        onResolved: () => undefined,
        reporter: (layer) => layerReporter(layer.digest, reports.progress),
      },
      signal,
    );
    const record = recordOf(brought, parts.nowMs());
    const inManifest = saved.find(({ configDigest }) => configDigest === record.id)?.names ?? [];
    const annotated = entries
      .filter((entry) => entry.digest === digest)
      .map(({ annotations }) => nameAnnotations.map((key) => annotations?.[key]).find((name) => name !== undefined))
      .filter((name): name is string => name !== undefined && isWholeName(name));
    const names = inManifest.length > 0 ? inManifest : annotated;
    keep(parts, record, names, reports.report);
  }
}

async function loadSaved(
  parts: ImageParts,
  folder: string,
  image: SavedImage,
  reports: Reports,
  signal: AbortSignal,
): Promise<void> {
  const reporter = (diffId: string, totalBytes: number) => {
    const { stage } = layerReporter(diffId, reports.progress);
    return (currentBytes: number): void => stage({ kind: 'extracting', currentBytes, totalBytes });
  };
  using brought = await bringSaved(parts, folder, image, reporter, signal);
  keep(parts, brought.record, image.names, reports.report);
}

/** `app:1` or `registry/app`, but not `latest`, which says nothing of what it is a tag of. */
function isWholeName(name: string): boolean {
  return /[:/]/.test(name);
}

/** In one transaction. A name that meant another image moves, which is told in Docker's words. */
function keep(parts: ImageParts, image: StoredImage, names: readonly string[], report: Report): void {
  const references = [...new Set(names)].map((name) => withDefaultTag(parseReference(name)));
  const { records } = parts;
  const moved: [ImageReference, string][] = [];
  records.transaction(() => {
    records.put(image);
    for (const reference of references) {
      if (reference.digest !== undefined) continue;
      const before = records.find(nameKey(reference));
      if (before !== undefined && before !== image.id) moved.push([reference, before]);
      records.setName({ ...nameKey(reference), imageId: image.id, namedAtMs: parts.nowMs() });
    }
  });
  for (const [reference, before] of moved) {
    const name = familiarString(reference);
    report({ stream: `The image ${name} already exists, renaming the old one with ID ${before} to empty string\n` });
  }
  for (const reference of references) {
    report({ stream: `Loaded image: ${familiarString(reference)}\n` });
    parts.onEvent({ action: 'load', id: image.id, name: familiarString(reference) });
  }
  if (references.length === 0) {
    report({ stream: `Loaded image ID: ${image.id}\n` });
    parts.onEvent({ action: 'load', id: image.id, name: image.id });
  }
}

const minIntervalMs = 100;

function layerReporter(
  digest: string,
  report: Report,
): { say: (status: string) => void; stage: (stage: LayerStage) => void } {
  let lastMs = -Infinity;
  return {
    say: () => undefined,
    stage: (stage) => {
      if (!('currentBytes' in stage)) return;
      const { currentBytes: current, totalBytes: total } = stage;
      const now = performance.now();
      if (now - lastMs < minIntervalMs && current < total) return;
      lastMs = now;
      const progress = progressBar(current, total);
      report({ status: 'Loading layer', progressDetail: { current, total }, progress, id: shortId(digest) });
    },
  };
}
