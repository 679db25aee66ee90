/** A whole image store in a temporary folder: real unpack program, real snapshotter, records in memory. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import path from 'node:path';
import { BlobStore } from '../../vm/agent/content/blob-store.ts';
import { Leases } from '../../vm/agent/content/leases.ts';
import type { ImageUser } from '../../vm/agent/images.ts';
import { RegistryClient } from '../../vm/agent/registry/client.ts';
import { openDownload } from '../../vm/agent/registry/download.ts';
import type { RegistryNetwork } from '../../vm/agent/registry/network.ts';
import { openSource } from '../../vm/agent/registry/open-source.ts';
import { parseReference } from '../../vm/agent/registry/reference.ts';
import { Transport } from '../../vm/agent/registry/transport.ts';
import { OverlaySnapshotter } from '../../vm/agent/snapshots/overlay.ts';
import { UnpackProgram } from '../../vm/agent/snapshots/unpack-program.ts';
import { LayerFetcher } from '../../vm/agent/use-cases/fetch-layer.ts';
import type { ImageEvent, ImageParts } from '../../vm/agent/use-cases/image-parts.ts';
import { pullImage } from '../../vm/agent/use-cases/pull-image.ts';
import type { ProgressLine } from '../../vm/agent/use-cases/pull-progress.ts';
import { guestPaths } from '../../vm/contract/wherry-api.ts';
import type { ImageRecords } from '../../vm/agent/state/images.ts';
import { MemoryImageRecords } from './memory-image-records.ts';
import { digestOf } from './scripted-registry.ts';
import type { AddedImage } from './scripted-registry.ts';

const debianArch = arch() === 'x64' ? 'amd64' : arch();
const inGuest = path.join(guestPaths.programs, 'unpack');
/** The guest's own program, or the one built here. */
export const unpackFile = existsSync(inGuest)
  ? inGuest
  : path.resolve(import.meta.dirname, '..', '..', 'build', 'native', debianArch, 'unpack');

/** Why tests that unpack cannot run here, or false. */
export const cannotUnpack: string | false = !existsSync(unpackFile)
  ? 'native/unpack is not built: npm run build -- native'
  : process.getuid?.() === 0
    ? false
    : 'unpacking sets owners, which needs root';

export interface TestStore extends AsyncDisposable {
  readonly folder: string;
  readonly parts: ImageParts;
  readonly events: ImageEvent[];
  /** Set by tests of removal. */
  users: ImageUser[];
  pull(
    reference: string,
    options?: { signal?: AbortSignal; report?: (line: ProgressLine) => void },
  ): Promise<ProgressLine[]>;
  /** The agent died and came back: the same folder and records, everything else anew. */
  reopen(): Promise<TestStore>;
}

export interface TestStoreOptions {
  readonly network?: Partial<RegistryNetwork>;
  readonly timeoutMs?: number;
  /** Instead of a temporary folder, which is then the caller's to remove. */
  readonly folder?: string;
  readonly records?: ImageRecords;
}

export async function openTestStore(options: TestStoreOptions = {}): Promise<TestStore> {
  const folder = options.folder ?? (await mkdtemp(path.join(tmpdir(), 'wherry-images-')));
  const records = options.records ?? new MemoryImageRecords();
  const program = new UnpackProgram(unpackFile);
  const blobs = await BlobStore.open(path.join(folder, 'content'));
  const snapshotter = await OverlaySnapshotter.open(folder, program, () => Promise.resolve());
  const limitMs = options.timeoutMs ?? 5000;
  const transport = new Transport(
    { insecure: [], extraCa: [], ...options.network },
    { answerMs: limitMs, stallMs: limitMs },
  );
  const events: ImageEvent[] = [];
  const parts: ImageParts = {
    blobs,
    snapshotter,
    records,
    leases: new Leases(),
    layers: new LayerFetcher({ blobs, snapshotter, program }),
    program,
    platform: { os: 'linux', architecture: 'amd64' },
    connect: (repository, credentials) => new RegistryClient(transport, repository, credentials, { firstRetryMs: 1 }),
    source: (repository, credentials) => openSource(transport, repository, credentials, { firstRetryMs: 1 }),
    download: (address, signal) => openDownload(transport, address, signal),
    imageUsers: () => store.users,
    onEvent: (event) => events.push(event),
    nowMs: () => Date.now(),
  };
  const store: TestStore = {
    folder,
    parts,
    events,
    users: [],
    async pull(reference, { signal, report } = {}) {
      const lines: ProgressLine[] = [];
      const request = { reference: parseReference(reference), platform: undefined, credentials: undefined };
      const collect = (line: ProgressLine): void => {
        lines.push(line);
        report?.(line);
      };
      await pullImage(parts, request, collect, signal ?? new AbortController().signal);
      return lines;
    },
    reopen() {
      transport.close();
      return openTestStore({ ...options, folder, records });
    },
    async [Symbol.asyncDispose]() {
      transport.close();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
  return store;
}

/** The image is there as a whole, and nothing else is. */
export function assertStored(store: TestStore, image: AddedImage): void {
  const stored = store.parts.records.get(image.configDigest);
  assert.ok(stored, 'the image is recorded');
  assert.deepEqual(
    stored.layers.map(({ diffId }) => diffId),
    image.layers.map(({ diffId }) => diffId),
  );
  for (const { digest, diffId, size } of image.layers) {
    const blob = store.parts.blobs.path(digest);
    assert.equal(statSync(blob).size, size);
    assert.equal(digestOf(readFileSync(blob)), digest);
    assert.ok(readdirSync(path.join(store.folder, 'layers', diffId.slice(7))).length > 0);
  }
  assert.deepEqual(leftovers(store), []);
}

/** Layers half made, and downloads that no later attempt should find. */
export function leftovers(store: TestStore): string[] {
  const layers = readdirSync(path.join(store.folder, 'layers')).filter((name) => name.startsWith('tmp-'));
  const ingest = readdirSync(path.join(store.folder, 'content/ingest')).filter((name) => !/^[a-f0-9]{64}$/.test(name));
  return [...layers, ...ingest];
}
