/** `docker image inspect`. */
import { EngineError } from '../../contract/errors.ts';
import type { ParsedConfig } from '../registry/manifest.ts';
import { createdMs } from '../state/images.ts';
import type { ImageRecords, KnownImage } from '../state/images.ts';
import { findImage, imageBytes, repoDigests, repoTags } from './find-image.ts';

/** The body of `GET /images/{name}/json`. */
export function inspectImage(records: ImageRecords, text: string): Record<string, unknown> {
  const image = named(records, text);
  const names = records.namesOf(image.id);
  const { config } = image;
  const lastTag = Math.max(0, ...names.filter(({ kind }) => kind === 'tag').map(({ namedAtMs }) => namedAtMs));
  return {
    Id: image.id,
    RepoTags: repoTags(names),
    RepoDigests: repoDigests(names),
    Parent: image.parentId ?? '',
    // What `docker commit -m` says stands in the history.
    Comment: config.comment || (config.history?.at(-1)?.comment ?? ''),
    Created: config.created ?? '0001-01-01T00:00:00Z',
    DockerVersion: config.docker_version ?? '',
    Author: config.author ?? '',
    Config: containerConfig(image),
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: imageBytes(image),
    GraphDriver: { Data: null, Name: 'overlay2' },
    RootFS: { Type: 'layers', Layers: image.layers.map(({ diffId }) => diffId) },
    Metadata: { LastTagTime: lastTag === 0 ? '0001-01-01T00:00:00Z' : new Date(lastTag).toISOString() },
  };
}

/** Docker says it twice here, and clients match on the first half. */
function named(records: ImageRecords, text: string): KnownImage {
  try {
    return findImage(records, text).image;
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'not-found') throw error;
    throw new EngineError('not-found', `no such image: ${text}: ${error.message}`, { cause: error });
  }
}

/** With the fields that API versions before 1.50 always have. */
function containerConfig(image: KnownImage): Record<string, unknown> {
  const config: Partial<NonNullable<ParsedConfig['config']>> = image.config.config ?? {};
  const optional = {
    Healthcheck: config.Healthcheck,
    StopSignal: config.StopSignal,
    Shell: config.Shell,
    ExposedPorts: config.ExposedPorts,
  };
  return {
    Hostname: '',
    Domainname: '',
    User: config.User ?? '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    Image: '',
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? '',
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? null,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined && value !== null)),
  };
}

/** An entry of `GET /images/{name}/history`. */
export interface HistoryEntry {
  readonly Comment: string;
  readonly Created: number;
  readonly CreatedBy: string;
  /** `<missing>` for what is below the topmost and was not built here, as Docker shows it. */
  readonly Id: string;
  readonly Size: number;
  readonly Tags: readonly string[] | null;
}

/** Newest first. Layers that the history does not mention come on top of it. */
export function imageHistory(records: ImageRecords, text: string): HistoryEntry[] {
  const { image } = findImage(records, text);
  const tags = repoTags(records.namesOf(image.id));
  const written = image.config.history ?? [];
  const mentioned = written.filter((entry) => entry.empty_layer !== true).length;
  const unmentioned = image.layers.slice(mentioned).map(() => ({ created: image.config.created }));
  let layer = 0;
  const entries = [...written, ...unmentioned].map((entry) => {
    const isEmpty = 'empty_layer' in entry && entry.empty_layer === true;
    const size = isEmpty ? 0 : (image.layers[layer]?.fileBytes ?? 0);
    if (!isEmpty) layer += 1;
    return {
      Comment: ('comment' in entry ? entry.comment : undefined) ?? '',
      Created: Math.floor(createdMs({ ...image.config, created: entry.created }) / 1000),
      CreatedBy: ('created_by' in entry ? entry.created_by : undefined) ?? '',
      Id: '<missing>',
      Size: size,
      Tags: null,
    };
  });
  const [top, ...rest] = entries.reverse();
  if (top === undefined) return [];
  let ancestor = parentOf(records, image);
  const below = rest.map((entry) => {
    const built = ancestor;
    if (built === undefined) return entry;
    ancestor = parentOf(records, built);
    const names = repoTags(records.namesOf(built.id));
    return { ...entry, Id: built.id, Tags: names.length === 0 ? null : names };
  });
  return [{ ...top, Id: image.id, Tags: tags.length === 0 ? null : tags }, ...below];
}

function parentOf(records: ImageRecords, image: KnownImage): KnownImage | undefined {
  return image.parentId === undefined ? undefined : records.get(image.parentId);
}
