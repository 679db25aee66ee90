/** `docker pull`: resolve the reference, bring what is missing, name it. */
import { EngineError } from '../../contract/errors.ts';
import type { Credentials } from '../registry/auth.ts';
import { StatusError } from '../registry/failure.ts';
import { limits, parseConfig, parseManifest } from '../registry/manifest.ts';
import type { Descriptor, ImageManifest, ParsedConfig } from '../registry/manifest.ts';
import type { NameList } from '../registry/name-list.ts';
import { formatPlatform, selectPlatform } from '../registry/platform.ts';
import type { Platform } from '../registry/platform.ts';
import { familiarName, familiarString, withDefaultTag } from '../registry/reference.ts';
import type { ImageReference } from '../registry/reference.ts';
import type { ContentSource, FetchedManifest } from '../registry/source.ts';
import { TransportError } from '../registry/transport.ts';
import type { StoredImage, StoredLayer } from '../state/images.ts';
import type { ImageParts } from './image-parts.ts';
import { LayerReporter } from './pull-progress.ts';
import type { ProgressLine } from './pull-progress.ts';

export interface PullRequest {
  readonly reference: ImageReference;
  readonly platform: Platform | undefined;
  readonly credentials: Credentials | undefined;
}

type Report = (line: ProgressLine) => void;

interface ResolvedManifest {
  /** What the name means: the index's digest when there is one. */
  readonly rootDigest: string;
  readonly digest: string;
  readonly manifest: ImageManifest;
  /** To be stored: the index, if any, and the manifest. */
  readonly fetched: readonly FetchedManifest[];
}

const configMediaTypes = [
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
  'application/octet-stream', // early schema 2 images
];

/**
 * Reports nothing before the manifest is known, so that an unknown image can still be answered with a status.
 * Rejects with EngineError in Docker's words, or the signal's reason.
 */
export async function pullImage(
  parts: ImageParts,
  request: PullRequest,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const reference = withDefaultTag(request.reference);
  const source = parts.source(reference, request.credentials);
  try {
    await bringImage(parts, { source, reference, platform: request.platform, report }, signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw pullFailure(error, reference);
  }
}

/** Nobody wants to pull as many. */
const maxTags = 10_000;

/** `docker pull --all-tags`: one after the other, as Docker does. */
export async function pullAllTags(
  parts: ImageParts,
  request: PullRequest,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  let tags: NameList;
  try {
    tags = await parts.connect(request.reference, request.credentials).tags(maxTags, signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : pullFailure(error, request.reference);
  }
  if (tags.more) {
    const name = familiarName(request.reference);
    throw new EngineError('invalid-parameter', `${name} has more than ${maxTags} tags: pull those you need by name`);
  }
  for (const tag of tags.names) {
    await pullImage(parts, { ...request, reference: { ...request.reference, tag } }, report, signal);
  }
}

/** What a reference means, all of it in the stores; safe from garbage collection until disposed. */
export interface BroughtImage extends Disposable {
  readonly resolved: ResolvedManifest;
  readonly configBytes: Buffer;
  readonly layers: readonly StoredLayer[];
}

interface WantedImage {
  readonly source: ContentSource;
  /** A tag or digest of the source's. */
  readonly target: string;
  /** For errors. */
  readonly name: string;
  readonly platform: Platform | undefined;
  /** Called once the manifest is known. */
  readonly onResolved: () => void;
  readonly reporter: (layer: Descriptor) => Pick<LayerReporter, 'say' | 'stage'>;
}

/** Shared with the import of the starter image. */
export async function bringImage(
  parts: ImageParts,
  wanted: {
    source: ContentSource;
    reference: ImageReference;
    /** The name within the source, when it is not the reference's tag or digest. */
    sourceName?: string;
    platform: Platform | undefined;
    report: Report;
  },
  signal: AbortSignal,
): Promise<void> {
  const { source, reference, report, platform } = wanted;
  const name = familiarString(reference);
  const target = reference.digest ?? reference.tag ?? 'latest';
  using brought = await bringContent(
    parts,
    {
      ...{ source, platform, name, target: wanted.sourceName ?? target },
      onResolved: () => report({ status: `Pulling from ${reference.path}`, id: target }),
      reporter: ({ digest }) => new LayerReporter(digest, report),
    },
    signal,
  );
  const isNew = record(parts, reference, brought);
  report({ status: `Digest: ${brought.resolved.rootDigest}` });
  report({ status: `Status: ${isNew ? 'Downloaded newer image' : 'Image is up to date'} for ${name}` });
  parts.onEvent({ action: 'pull', id: name, name: familiarName(reference) });
}

/** Brings manifest, configuration and layers, whatever they shall be called. */
export async function bringContent(parts: ImageParts, wanted: WantedImage, signal: AbortSignal): Promise<BroughtImage> {
  const { source, name } = wanted;
  const resolved = await resolveManifest(parts, source, wanted.target, wanted.platform, name, signal);
  wanted.onResolved();
  const { manifest } = resolved;
  if (!configMediaTypes.includes(manifest.config.mediaType)) {
    throw new EngineError('invalid-parameter', `${name} is not an image: its type is ${manifest.config.mediaType}`);
  }
  const lease = parts.leases.hold([
    manifest.config.digest,
    ...resolved.fetched.map(({ digest }) => digest),
    ...manifest.layers.map(({ digest }) => digest),
  ]);
  let layerLease: Disposable | undefined;
  const dispose = (): void => {
    layerLease?.[Symbol.dispose]();
    lease[Symbol.dispose]();
  };
  try {
    const configBytes = await source.blob(manifest.config, signal);
    const config = parseConfig(configBytes, name);
    checkConfig(config, manifest, name, wanted.platform ?? parts.platform);
    layerLease = parts.leases.hold(config.rootfs.diff_ids);
    const layers = await bringLayers(parts, source, manifest, config, wanted.reporter, signal);
    for (const { digest, bytes } of resolved.fetched) await parts.blobs.write(digest, bytes);
    await parts.blobs.write(manifest.config.digest, configBytes);
    signal.throwIfAborted();
    return { resolved, configBytes, layers, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

async function resolveManifest(
  parts: ImageParts,
  source: ContentSource,
  target: string,
  platform: Platform | undefined,
  name: string,
  signal: AbortSignal,
): Promise<ResolvedManifest> {
  const wanted = platform ?? parts.platform;
  let fetched = await source.manifest(target, signal);
  const all = [fetched];
  for (let depth = 0; depth <= limits.indexDepth; depth += 1) {
    const parsed = parseManifest(fetched.bytes, fetched.mediaType, name);
    if (parsed.kind === 'manifest') {
      return {
        rootDigest: all[0]?.digest ?? fetched.digest,
        digest: fetched.digest,
        manifest: parsed.manifest,
        fetched: all,
      };
    }
    const chosen =
      parsed.index.manifests[
        selectPlatform(
          parsed.index.manifests.map((one) => one.platform),
          wanted,
        )
      ];
    if (chosen === undefined) {
      throw new EngineError(
        'not-found',
        `no matching manifest for ${formatPlatform(wanted)} in the manifest list entries: no match for platform in manifest: not found`,
      );
    }
    fetched = await source.manifest(chosen.digest, signal);
    all.push(fetched);
  }
  throw new EngineError('system', `${name}: its indexes are nested deeper than ${limits.indexDepth}`);
}

function checkConfig(config: ParsedConfig, manifest: ImageManifest, name: string, wanted: Platform): void {
  if (config.rootfs.diff_ids.length !== manifest.layers.length) {
    throw new EngineError('system', `${name}: its manifest and its configuration disagree on the number of layers`);
  }
  if (config.os !== wanted.os) {
    throw new EngineError('invalid-parameter', `image operating system "${config.os}" cannot be used on this platform`);
  }
}

/** The first failure ends the others. */
async function bringLayers(
  parts: ImageParts,
  source: ContentSource,
  manifest: ImageManifest,
  config: ParsedConfig,
  reporterOf: WantedImage['reporter'],
  signal: AbortSignal,
): Promise<StoredLayer[]> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const work = manifest.layers.map((descriptor, index) => ({
    descriptor,
    diffId: config.rootfs.diff_ids[index] ?? '',
    reporter: reporterOf(descriptor),
  }));
  for (const { reporter, diffId } of work) {
    reporter.say(parts.records.layer(diffId) === undefined ? 'Pulling fs layer' : 'Already exists');
  }
  const results = await Promise.allSettled(
    work.map(async ({ descriptor, diffId, reporter }) => {
      try {
        const known = parts.records.layer(diffId);
        if (known !== undefined && (await parts.snapshotter.hasLayer(diffId))) return known;
        const layer = await parts.layers.fetch(source, descriptor, both, (stage) => reporter.stage(stage));
        if (layer.diffId !== diffId) {
          throw new EngineError(
            'system',
            `layer ${descriptor.digest}: its content has diffID ${layer.diffId}, not ${diffId}`,
          );
        }
        reporter.say('Pull complete');
        return layer;
      } catch (error) {
        stop.abort(error);
        throw error;
      }
    }),
  );
  signal.throwIfAborted();
  if (stop.signal.aborted) throw stop.signal.reason;
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

/** In one transaction. True when the name means another image than before. */
function record(parts: ImageParts, reference: ImageReference, brought: BroughtImage): boolean {
  const { records } = parts;
  const { resolved } = brought;
  const id = resolved.manifest.config.digest;
  const namedAtMs = parts.nowMs();
  const { domain, path } = reference;
  const digestName = { domain, path, kind: 'digest', value: resolved.rootDigest } as const;
  const tagName =
    reference.tag === undefined ? undefined : ({ domain, path, kind: 'tag', value: reference.tag } as const);
  const main = reference.digest === undefined ? (tagName ?? digestName) : digestName;
  return records.transaction(() => {
    const before = records.find(main);
    records.put(recordOf(brought, namedAtMs));
    records.setName({ ...digestName, imageId: id, namedAtMs });
    if (reference.digest === undefined && tagName !== undefined)
      records.setName({ ...tagName, imageId: id, namedAtMs });
    return before !== id;
  });
}

export function recordOf({ resolved, configBytes, layers }: BroughtImage, storedAtMs: number): StoredImage {
  return {
    id: resolved.manifest.config.digest,
    manifestDigest: resolved.digest,
    configText: configBytes.toString('utf8'),
    layers,
    storedAtMs,
  };
}

/** In the words of Docker's daemon. */
export function pullFailure(error: unknown, reference: ImageReference): unknown {
  if (error instanceof TransportError) return new EngineError('system', error.message, { cause: error });
  if (!(error instanceof StatusError)) return error;
  const cause = { cause: error };
  if (error.code === 'NAME_UNKNOWN') {
    return new EngineError('not-found', `repository ${familiarName(reference)} not found: ${error.message}`, cause);
  }
  if (error.status === 404 || error.code === 'MANIFEST_UNKNOWN') {
    const text = error.code === undefined ? 'manifest unknown: manifest unknown' : error.message;
    return new EngineError('not-found', `manifest for ${familiarString(reference)} not found: ${text}`, cause);
  }
  if (error.code === 'DENIED' || error.code === 'UNAUTHORIZED' || error.status === 401 || error.status === 403) {
    const text = error.code === undefined ? 'denied: requested access to the resource is denied' : error.message;
    return new EngineError(
      'not-found',
      `pull access denied for ${familiarName(reference)}, repository does not exist or may require 'docker login': ${text}`,
      cause,
    );
  }
  return new EngineError('system', error.message, cause);
}
