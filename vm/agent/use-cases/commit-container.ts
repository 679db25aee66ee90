/** `docker commit`: an image of what a container has become. */
import { EngineError } from '../../contract/errors.ts';
import { rfc3339Now } from '../clock.ts';
import { applySetting } from '../build/image-settings.ts';
import type { ImageSettings } from '../build/image-settings.ts';
import { readInstructionText } from '../build/instruction.ts';
import { expandInstruction } from '../build/expand-instruction.ts';
import { familiarString, parseReference, withDefaultTag } from '../registry/reference.ts';
import type { ContainerConfig, ContainerRecord } from '../state/container-record.ts';
import { isRunning } from '../state/container-record.ts';
import type { KnownImage } from '../state/images.ts';
import { openUpper } from './container-upper.ts';
import { nameKey } from './find-image.ts';
import type { ImageParts } from './image-parts.ts';
import { makeLayer } from './make-layer.ts';
import { publishContainerEvent } from './parts.ts';
import type { Parts } from './parts.ts';
import { storeImage } from './store-image.ts';

export interface CommitRequest {
  readonly container: string;
  /** `name[:tag]`, or empty. */
  readonly repository: string;
  readonly tag: string;
  readonly author: string;
  readonly comment: string;
  /** The container stands still meanwhile. */
  readonly pause: boolean;
  /** Instructions of a Dockerfile, such as `CMD ["sh"]`. */
  readonly changes: readonly string[];
  /** What the request says of the image's settings; it wins over the container's. */
  readonly settings: ImageSettings;
}

/** Resolves with the image's id. */
export async function commitContainer(
  parts: Parts,
  images: ImageParts,
  request: CommitRequest,
  signal: AbortSignal,
): Promise<string> {
  const record = parts.store.find(request.container);
  const base = images.records.get(record.imageId);
  if (base === undefined) throw new EngineError('not-found', `No such image: ${record.imageId}`);
  const reference = request.repository === '' ? undefined : parseTarget(request.repository, request.tag);
  const settings = applyChanges({ ...settingsOf(record.config), ...request.settings }, request.changes);
  using _lease = images.leases.hold([base.id, ...base.layers.map(({ diffId }) => diffId)]);
  await using upper = await openUpper(parts, images, record);
  using made = await paused(parts, record, request.pause, () => makeLayer(images, upper.source, signal));
  const image = await storeImage(images, {
    parentId: base.id,
    config: committedConfig(base, record, request, settings, made.layer === undefined),
    layers: made.layer === undefined ? base.layers : [...base.layers, made.layer],
  });
  if (reference !== undefined) {
    images.records.setName({ ...nameKey(reference), imageId: image.id, namedAtMs: images.nowMs() });
    images.onEvent({ action: 'tag', id: image.id, name: familiarString(reference) });
  }
  publishContainerEvent(parts, record, 'commit', {
    comment: request.comment,
    imageID: image.id,
    imageRef: reference === undefined ? '' : familiarString(reference),
  });
  return image.id;
}

function parseTarget(repository: string, tag: string): ReturnType<typeof withDefaultTag> {
  const reference = parseReference(tag === '' ? repository : `${repository}:${tag}`);
  if (reference.digest !== undefined) {
    throw new EngineError('invalid-parameter', 'refusing to create a tag with a digest reference');
  }
  return withDefaultTag(reference);
}

/** Under the container's lock only to stop and to go on. */
async function paused<Result>(
  parts: Parts,
  record: ContainerRecord,
  pause: boolean,
  work: () => Promise<Result>,
): Promise<Result> {
  const { running } = parts.live.of(record.id);
  if (!pause || running === undefined || !isRunning(record) || record.state.status === 'paused') return work();
  await running.pause();
  try {
    return await work();
  } finally {
    await running.resume();
  }
}

function settingsOf(config: ContainerConfig): ImageSettings {
  return {
    User: config.User,
    Env: config.Env,
    WorkingDir: config.WorkingDir,
    Labels: config.Labels,
    ...(config.ExposedPorts === undefined ? {} : { ExposedPorts: config.ExposedPorts }),
    ...(config.Entrypoint === null ? {} : { Entrypoint: config.Entrypoint }),
    ...(config.Cmd === null ? {} : { Cmd: config.Cmd }),
    ...(config.Volumes === null ? {} : { Volumes: config.Volumes }),
    ...(config.StopSignal === undefined ? {} : { StopSignal: config.StopSignal }),
    ...(config.Shell === undefined ? {} : { Shell: config.Shell }),
    ...(config.Healthcheck === undefined ? {} : { Healthcheck: { Test: [], ...config.Healthcheck } }),
  };
}

/** Instructions of a Dockerfile that only change settings. */
export function applyChanges(settings: ImageSettings, changes: readonly string[]): ImageSettings {
  let changed = settings;
  for (const line of changes.flatMap((text) => text.split('\n')).filter((text) => text.trim() !== '')) {
    const instruction = readInstructionText(line, '\\');
    switch (instruction.kind) {
      case 'from':
      case 'arg':
      case 'run':
      case 'copy':
      case 'shell':
      case 'maintainer':
        throw new EngineError(
          'invalid-parameter',
          `${line.trim().split(/\s/, 1)[0] ?? ''} is not a valid change command`,
        );
      default: {
        const variables = new Map((changed.Env ?? []).map(pairOf));
        changed = applySetting(changed, expandInstruction(instruction, variables, '\\')).settings;
      }
    }
  }
  return changed;
}

function pairOf(entry: string): [string, string] {
  const at = entry.indexOf('=');
  return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
}

function committedConfig(
  base: KnownImage,
  record: ContainerRecord,
  request: CommitRequest,
  settings: ImageSettings,
  isEmpty: boolean,
): Record<string, unknown> {
  const created = rfc3339Now();
  const before = JSON.parse(base.configText) as { history?: readonly unknown[] | null };
  const said = { created, created_by: (record.config.Cmd ?? []).join(' ') };
  return {
    ...before,
    created,
    author: request.author,
    config: settings,
    container: record.id,
    history: [
      ...(before.history ?? []),
      {
        ...said,
        ...(request.author === '' ? {} : { author: request.author }),
        ...(request.comment === '' ? {} : { comment: request.comment }),
        ...(isEmpty ? { empty_layer: true } : {}),
      },
    ],
  };
}
