/** A registry on loopback that does what a test tells it to: lie, stall, break off, ask for passwords. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { tar } from './tar.ts';
import type { TarEntry } from './tar.ts';

export interface ScriptedRegistry extends AsyncDisposable {
  /** `localhost:12345` */
  readonly host: string;
  readonly url: string;
  /** `GET /v2/x/manifests/latest`, with the range asked for in brackets. */
  readonly requests: string[];
  readonly blobs: Map<string, Buffer>;
  /** By `repository:tagOrDigest`. */
  readonly manifests: Map<string, { readonly bytes: Buffer; readonly mediaType: string }>;
  /** Returns true when it has dealt with the request. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;
  addBlob(bytes: Buffer): { readonly digest: string; readonly size: number };
  addManifest(name: string, value: object | Buffer, mediaType?: string): string;
  /** An image whose layers are these archives; returns what a test may want to spoil. */
  addImage(name: string, layers: readonly (readonly TarEntry[])[], options?: ImageOptions): AddedImage;
}

interface ImageOptions {
  readonly config?: object;
  readonly diffIds?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

export interface AddedImage {
  readonly manifestDigest: string;
  readonly manifestSize: number;
  readonly configDigest: string;
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly diffId: string }[];
}

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

export function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export async function startScriptedRegistry(): Promise<ScriptedRegistry> {
  const server = createServer((request, response) => void answer(registry, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, { bytes: Buffer; mediaType: string }>();
  const registry: ScriptedRegistry = {
    host: `localhost:${address.port}`,
    url: `http://localhost:${address.port}`,
    requests: [],
    blobs,
    manifests,
    intercept: () => false,
    addBlob(bytes) {
      const digest = digestOf(bytes);
      blobs.set(digest, bytes);
      return { digest, size: bytes.length };
    },
    addManifest(name, value, mediaType = mediaTypes.manifest) {
      const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
      const digest = digestOf(bytes);
      manifests.set(name, { bytes, mediaType });
      manifests.set(`${name.split(':')[0] ?? ''}:${digest}`, { bytes, mediaType });
      return digest;
    },
    addImage(name, contents, options = {}) {
      const layers = contents.map((entries) => {
        const archive = tar(...entries);
        return { ...registry.addBlob(gzipSync(archive)), diffId: digestOf(archive), mediaType: mediaTypes.layer };
      });
      const config = registry.addBlob(
        Buffer.from(
          JSON.stringify({
            architecture: 'amd64',
            os: 'linux',
            created: '2024-01-02T03:04:05Z',
            config: { Cmd: ['sh'], ...(options.labels === undefined ? {} : { Labels: options.labels }) },
            rootfs: { type: 'layers', diff_ids: options.diffIds ?? layers.map(({ diffId }) => diffId) },
            ...options.config,
          }),
        ),
      );
      const manifest = {
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        config: { mediaType: mediaTypes.config, ...config },
        layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
      };
      const manifestDigest = registry.addManifest(name, manifest);
      const manifestSize = Buffer.byteLength(JSON.stringify(manifest));
      return { manifestDigest, manifestSize, configDigest: config.digest, layers };
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return registry;
}

async function answer(registry: ScriptedRegistry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { range } = request.headers;
  registry.requests.push(`${request.method ?? ''} ${request.url ?? ''}${range === undefined ? '' : ` [${range}]`}`);
  response.on('error', () => undefined); // a client that left
  if (await registry.intercept(request, response)) return;
  const [, repository = '', kind, reference = ''] =
    /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(request.url ?? '') ?? [];
  const manifest = registry.manifests.get(`${repository}:${reference}`);
  const blob = registry.blobs.get(reference);
  if (kind === 'manifests' && manifest !== undefined) sendManifest(response, manifest.bytes, manifest.mediaType);
  else if (kind === 'blobs' && blob !== undefined) sendBlob(response, blob, range);
  else sendError(response, 404, kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN');
}

function sendManifest(response: ServerResponse, bytes: Buffer, mediaType: string): void {
  response.writeHead(200, {
    'Content-Type': mediaType,
    'Content-Length': bytes.length,
    'Docker-Content-Digest': digestOf(bytes),
  });
  response.end(bytes);
}

export function sendBlob(response: ServerResponse, blob: Buffer, range: string | undefined): void {
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  if (from > 0 && from >= blob.length) {
    response.writeHead(416).end();
    return;
  }
  const part = blob.subarray(from);
  const headers = { 'Content-Length': part.length, 'Content-Type': 'application/octet-stream' };
  if (from === 0) response.writeHead(200, headers);
  else response.writeHead(206, { ...headers, 'Content-Range': `bytes ${from}-${blob.length - 1}/${blob.length}` });
  response.end(part);
}

export function sendError(
  response: ServerResponse,
  status: number,
  code?: string,
  headers: Record<string, string> = {},
): void {
  const message = (code ?? '').toLowerCase().replaceAll('_', ' ');
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(code === undefined ? 'no JSON here' : JSON.stringify({ errors: [{ code, message }] }));
}
