/** What registries and layouts send, parsed once: OCI image specification 1.1 and Docker's schema 2. */
import { z } from 'zod';
import { EngineError } from '../../contract/errors.ts';

/** A registry cannot exhaust the guest: more than this is refused. */
export const limits = {
  manifestBytes: 4 * 1024 * 1024,
  configBytes: 8 * 1024 * 1024,
  layers: 256,
  indexEntries: 1024,
  indexDepth: 3,
  historyEntries: 4096,
} as const;

const digest = z.string().regex(/^sha256:[a-f0-9]{64}$/, 'only sha256 digests are supported');
const size = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

const descriptor = z.object({ mediaType: z.string(), digest, size });

const platform = z.object({
  architecture: z.string(),
  os: z.string(),
  variant: z.string().optional(),
});

const indexSchema = z.object({
  schemaVersion: z.literal(2),
  manifests: z
    .array(
      descriptor.extend({
        platform: platform.optional(),
        annotations: z.record(z.string(), z.string()).nullish(),
      }),
    )
    .max(limits.indexEntries),
});

const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  config: descriptor.extend({ size: size.max(limits.configBytes) }),
  layers: z.array(descriptor.extend({ urls: z.array(z.string()).nullish() })).max(limits.layers),
});

const strings = z.array(z.string()).nullish();
const flags = z.record(z.string(), z.object({}).loose().nullable()).nullish();

const configSchema = z.object({
  architecture: z.string(),
  os: z.string(),
  variant: z.string().optional(),
  created: z.string().nullish(),
  author: z.string().nullish(),
  comment: z.string().nullish(),
  docker_version: z.string().nullish(),
  config: z
    .object({
      User: z.string().nullish(),
      ExposedPorts: flags,
      Env: strings,
      Entrypoint: strings,
      Cmd: strings,
      Volumes: flags,
      WorkingDir: z.string().nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
      StopSignal: z.string().nullish(),
      Healthcheck: z.unknown().optional(),
      Shell: strings,
      OnBuild: strings,
    })
    .nullish(),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(digest).max(limits.layers) }),
  history: z
    .array(
      z.object({
        created: z.string().nullish(),
        created_by: z.string().nullish(),
        author: z.string().nullish(),
        comment: z.string().nullish(),
        empty_layer: z.boolean().nullish(),
      }),
    )
    .max(limits.historyEntries)
    .nullish(),
});

export type Descriptor = z.infer<typeof descriptor>;
export type ImageIndex = z.infer<typeof indexSchema>;
export type ImageManifest = z.infer<typeof manifestSchema>;
export type ParsedConfig = z.infer<typeof configSchema>;

export type ParsedManifest =
  | { readonly kind: 'index'; readonly index: ImageIndex }
  | { readonly kind: 'manifest'; readonly manifest: ImageManifest };

export const manifestMediaTypes = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
} as const;

const layerMediaTypes = [
  /^application\/vnd\.oci\.image\.layer\.(nondistributable\.)?v1\.tar(\+gzip|\+zstd)?$/,
  /^application\/vnd\.docker\.image\.rootfs\.(foreign\.)?diff\.tar(\.gzip|\.zstd)?$/,
];

/** The media type is the registry's word; without a known one the content decides. Names the reference in its errors. */
export function parseManifest(bytes: Buffer, mediaType: string | undefined, name: string): ParsedManifest {
  const value = parseJson(bytes, `manifest of ${name}`);
  const said = mediaType?.split(';')[0]?.trim() ?? '';
  const inside = typeof value['mediaType'] === 'string' ? value['mediaType'] : '';
  if (value['schemaVersion'] === 1 || said.startsWith('application/vnd.docker.distribution.manifest.v1+')) {
    throw new EngineError(
      'not-implemented',
      `${name} is stored in Docker's schema 1, which is no longer supported: push it again with a current tool`,
    );
  }
  const type = Object.values<string>(manifestMediaTypes).includes(inside) ? inside : said;
  const isIndex =
    type === manifestMediaTypes.ociIndex ||
    type === manifestMediaTypes.dockerList ||
    (type !== manifestMediaTypes.ociManifest && type !== manifestMediaTypes.dockerManifest && 'manifests' in value);
  return isIndex
    ? { kind: 'index', index: check(indexSchema, value, `index of ${name}`) }
    : { kind: 'manifest', manifest: checkLayers(check(manifestSchema, value, `manifest of ${name}`), name) };
}

export function parseConfig(bytes: Buffer, name: string): ParsedConfig {
  return check(configSchema, parseJson(bytes, `configuration of ${name}`), `configuration of ${name}`);
}

function checkLayers(manifest: ImageManifest, name: string): ImageManifest {
  for (const layer of manifest.layers) {
    if (!layerMediaTypes.some((pattern) => pattern.test(layer.mediaType))) {
      throw new EngineError('invalid-parameter', `${name}: layers of type ${layer.mediaType} are not supported`);
    }
  }
  return manifest;
}

function parseJson(bytes: Buffer, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new EngineError('system', `the ${what} is not JSON`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new EngineError('system', `the ${what} is not a JSON object`);
  }
  return value as Record<string, unknown>;
}

function check<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw new EngineError('system', `the ${what} is malformed${where}: ${issue?.message ?? 'unknown'}`);
}
