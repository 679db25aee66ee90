/** `docker push`: what the registry lacks goes there as it is kept, then the manifest under the tag's name. */
import { createReadStream } from 'node:fs';
import { EngineError } from '../../contract/errors.ts';
import type { Credentials } from '../registry/auth.ts';
import { StatusError } from '../registry/failure.ts';
import type { Descriptor } from '../registry/manifest.ts';
import { familiarName, familiarString } from '../registry/reference.ts';
import type { ImageReference } from '../registry/reference.ts';
import { TransportError } from '../registry/transport.ts';
import type { ImageName, KnownImage } from '../state/images.ts';
import { nameKey } from './find-image.ts';
import { leavingManifest } from './image-manifest.ts';
import type { ImageParts, Repository } from './image-parts.ts';
import { LayerReporter } from './pull-progress.ts';
import type { ProgressLine } from './pull-progress.ts';
import { Slots } from './slots.ts';

type Report = (line: ProgressLine) => void;

/** As many at once as Docker uploads. */
const parallelUploads = 5;

/** One tag, or without one all tags of the repository. Rejects with EngineError in Docker's words, or the signal's reason. */
export async function pushImage(
  parts: ImageParts,
  request: { readonly reference: ImageReference; readonly credentials: Credentials | undefined },
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { reference, credentials } = request;
  if (reference.digest !== undefined) throw new EngineError('invalid-parameter', 'cannot push a digest reference');
  report({ status: `The push refers to repository [${reference.domain}/${reference.path}]` });
  const tags = parts.records
    .names()
    .filter((name) => name.kind === 'tag' && name.domain === reference.domain && name.path === reference.path);
  if (tags.length === 0) {
    throw new EngineError('not-found', `An image does not exist locally with the tag: ${familiarName(reference)}`);
  }
  const wanted = tags.filter(({ value }) => reference.tag === undefined || value === reference.tag);
  if (wanted.length === 0) throw new EngineError('not-found', `tag does not exist: ${familiarString(reference)}`);
  const repository = parts.connect(reference, credentials);
  try {
    for (const tag of wanted) await pushTag(parts, repository, tag, report, signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : inDockersWords(error, credentials);
  }
}

async function pushTag(
  parts: ImageParts,
  repository: Repository,
  tag: ImageName,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const image = parts.records.get(tag.imageId);
  if (image === undefined) throw new EngineError('not-found', `tag does not exist: ${tag.value}`);
  using manifest = await leavingManifest(parts, image);
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const slots = new Slots(parallelUploads);
  const blobs = new Map(manifest.layers.map((layer, index) => [layer.digest, { layer, index }]));
  const uploads = [...blobs.values()].map(async ({ layer, index }) => {
    const reporter = new LayerReporter(image.layers[index]?.diffId ?? layer.digest, report);
    reporter.say('Preparing');
    try {
      using _slot = await slots.take(both);
      await sendLayer(parts, repository, layer, { tag, reporter }, both);
    } catch (error) {
      stop.abort(error); // the first failure ends the others
      throw error;
    }
  });
  const results = await Promise.allSettled(uploads);
  signal.throwIfAborted();
  if (stop.signal.aborted || results.some(({ status }) => status === 'rejected')) throw stop.signal.reason;
  await sendConfig(parts, repository, manifest.config, signal);
  await repository.putManifest(tag.value, manifest.bytes, manifest.mediaType, signal);
  const { digest, bytes } = manifest;
  remember(parts, image, tag, digest);
  report({ status: `${tag.value}: digest: ${digest} size: ${bytes.length}` });
  report({ progressDetail: {}, aux: { Tag: tag.value, Digest: digest, Size: bytes.length } });
}

async function sendLayer(
  parts: ImageParts,
  repository: Repository,
  layer: Descriptor,
  told: { readonly tag: ImageName; readonly reporter: LayerReporter },
  signal: AbortSignal,
): Promise<void> {
  const { reporter, tag } = told;
  if (await repository.hasBlob(layer.digest, signal)) {
    reporter.say('Layer already exists');
    return;
  }
  for (const from of siblings(parts, tag, layer.digest)) {
    if (!(await repository.mountBlob(layer.digest, from, signal))) continue;
    reporter.say(`Mounted from ${from}`);
    return;
  }
  await repository.uploadBlob(layer, () => blobBytes(parts, layer, reporter), signal);
  reporter.say('Pushed');
}

/** Repositories of the same registry that should have the layer, because an image with it came from there or went there. */
function siblings(parts: ImageParts, tag: ImageName, blobDigest: string): string[] {
  const holders = new Set(
    parts.records
      .all()
      .filter(({ layers }) => layers.some((layer) => layer.blobDigest === blobDigest))
      .map(({ id }) => id),
  );
  const paths = parts.records
    .names()
    .filter(({ kind, domain, imageId }) => kind === 'digest' && domain === tag.domain && holders.has(imageId))
    .map(({ path }) => path);
  return [...new Set(paths)].filter((path) => path !== tag.path).slice(0, 3);
}

async function* blobBytes(
  parts: ImageParts,
  { digest, size }: Descriptor,
  reporter: LayerReporter,
): AsyncGenerator<Buffer, void, void> {
  let sent = 0;
  reporter.progress('Pushing', 0, size);
  const stream = createReadStream(parts.blobs.path(digest), { highWaterMark: 256 * 1024 });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    yield chunk;
    sent += chunk.length;
    reporter.progress('Pushing', sent, size);
  }
}

async function sendConfig(
  parts: ImageParts,
  repository: Repository,
  config: Descriptor,
  signal: AbortSignal,
): Promise<void> {
  if (await repository.hasBlob(config.digest, signal)) return;
  const bytes = await parts.blobs.read(config.digest);
  const open = async function* (): AsyncGenerator<Buffer, void, void> {
    yield await Promise.resolve(bytes);
  };
  await repository.uploadBlob({ digest: config.digest, size: bytes.length }, open, signal);
}

/** The image now has this digest there too (`RepoDigests`), unless its tag has been moved or removed meanwhile. */
function remember(parts: ImageParts, image: KnownImage, tag: ImageName, digest: string): void {
  const { domain, path } = tag;
  parts.records.transaction(() => {
    if (parts.records.find(tag) !== image.id) return;
    const key = nameKey({ domain, path, tag: undefined, digest });
    parts.records.setName({ ...key, imageId: image.id, namedAtMs: parts.nowMs() });
  });
  const name = familiarString({ domain, path, tag: tag.value, digest: undefined });
  parts.onEvent({ action: 'push', id: name, name: familiarName(tag) });
}

function inDockersWords(error: unknown, credentials: Credentials | undefined): unknown {
  if (error instanceof TransportError) return new EngineError('system', error.message, { cause: error });
  if (!(error instanceof StatusError)) return error;
  const cause = { cause: error };
  if (error.status === 401 && error.code === undefined) {
    const text = credentials === undefined ? 'no basic auth credentials' : 'unauthorized: authentication required';
    return new EngineError('unauthorized', text, cause);
  }
  if (error.status === 401) return new EngineError('unauthorized', error.message, cause);
  if (error.status === 403 && error.code === undefined) {
    return new EngineError('forbidden', 'denied: requested access to the resource is denied', cause);
  }
  return new EngineError(error.status === 403 ? 'forbidden' : 'system', error.message, cause);
}
