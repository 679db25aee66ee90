/** Puts the image store together: content, snapshots, registry and records, as the rest of the agent sees them. */
import type { ImageStore, ImageUser, ResolvedImage } from './images.ts';
import { BlobStore } from './content/blob-store.ts';
import { Leases } from './content/leases.ts';
import type { Kernel } from './kernel/kernel.ts';
import { log } from './log.ts';
import { RegistryClient } from './registry/client.ts';
import type { RegistryNetwork } from './registry/network.ts';
import type { Platform } from './registry/platform.ts';
import { openDownload } from './registry/download.ts';
import { openSource } from './registry/open-source.ts';
import { Transport } from './registry/transport.ts';
import { OverlaySnapshotter } from './snapshots/overlay.ts';
import { markAsContainer } from './snapshots/container-mark.ts';
import type { DiskLimit, LimitFolder, Snapshotter } from './snapshots/snapshotter.ts';
import { UnpackProgram } from './snapshots/unpack-program.ts';
import { VfsSnapshotter } from './snapshots/vfs.ts';
import type { ImageRecords, KnownImage } from './state/images.ts';
import { collectGarbage } from './use-cases/collect-garbage.ts';
import { LayerFetcher } from './use-cases/fetch-layer.ts';
import { findImage } from './use-cases/find-image.ts';
import type { ImageEvent, ImageParts } from './use-cases/image-parts.ts';
import { importStarter } from './use-cases/import-starter.ts';

export interface ImagesOptions {
  /** Where the data disk is mounted. */
  readonly dataDir: string;
  /** `native/unpack`. */
  readonly unpackProgram: string;
  readonly records: ImageRecords;
  /** Limits what containers write. */
  readonly kernel: Pick<Kernel, 'setProject' | 'setProjectLimit'>;
  readonly network: RegistryNetwork;
  readonly imageUsers: () => readonly ImageUser[];
  readonly onEvent: (event: ImageEvent) => void;
  readonly snapshotter?: 'overlay' | 'vfs';
}

export interface Images {
  readonly store: ImageStore;
  /** For the routes and other use cases. */
  readonly parts: ImageParts;
  /** Imports what came with Wherry when there are no images yet. A failure is logged, not fatal. */
  importStarter(folder: string): Promise<void>;
  close(): void;
}

/** Opens the store, and repairs what an agent that died left: half layers go, records without their files are dropped. */
export async function openImages(options: ImagesOptions): Promise<Images> {
  const program = new UnpackProgram(options.unpackProgram);
  const blobs = await BlobStore.open(`${options.dataDir}/content`);
  const setLimit = ({ project, bytes }: DiskLimit): Promise<void> =>
    options.kernel.setProjectLimit(options.dataDir, project, bytes);
  const limitFolder: LimitFolder = async (folder, limit) => {
    await options.kernel.setProject(folder, limit.project);
    await setLimit(limit);
  };
  const snapshotter =
    options.snapshotter === 'vfs'
      ? await VfsSnapshotter.open(options.dataDir, program, limitFolder)
      : await OverlaySnapshotter.open(options.dataDir, program, limitFolder);
  const transport = new Transport(options.network);
  const parts: ImageParts = {
    blobs,
    snapshotter,
    records: options.records,
    leases: new Leases(),
    layers: new LayerFetcher({ blobs, snapshotter, program }),
    program,
    platform: hostPlatform(),
    connect: (repository, credentials) => new RegistryClient(transport, repository, credentials),
    source: (repository, credentials) => openSource(transport, repository, credentials),
    download: (address, signal) => openDownload(transport, address, signal),
    imageUsers: options.imageUsers,
    onEvent: options.onEvent,
    nowMs: () => Date.now(),
  };
  await reconcile(parts);
  return {
    store: { ...imageStore(options.records, snapshotter), setLimit },
    parts,
    async importStarter(folder) {
      try {
        const names = await importStarter(parts, folder, new AbortController().signal);
        if (names.length > 0) log.info(`imported ${names.join(', ')}`);
      } catch (error) {
        log.error('the starter image could not be imported', error);
      }
    },
    close: () => transport.close(),
  };
}

/** A layer is named only when it is whole, and recorded after that: a record without its layer means a damaged disk. */
async function reconcile(parts: ImageParts): Promise<void> {
  const present = new Set(await parts.snapshotter.layers());
  for (const image of parts.records.all()) {
    const missing = image.layers.find(({ diffId }) => !present.has(diffId));
    if (missing === undefined) continue;
    log.warn(`image ${image.id} has lost its layer ${missing.diffId}: forgotten, pull it again`);
    parts.records.remove(image.id);
  }
  await collectGarbage(parts);
}

function imageStore(records: ImageRecords, snapshotter: Snapshotter): Omit<ImageStore, 'setLimit'> {
  return {
    resolve: (reference) => {
      try {
        return Promise.resolve(resolved(findImage(records, reference).image));
      } catch (error) {
        return Promise.reject(error instanceof Error ? error : new Error(String(error)));
      }
    },
    prepareRoot: async (containerId, image, options) => {
      const root = await snapshotter.prepareRoot(containerId, image.layers, options);
      await markAsContainer(root.upperDir, options.ownerId);
      return root;
    },
    removeRoot: (containerId) => snapshotter.removeRoot(containerId),
    rootSize: (containerId) => snapshotter.rootSize(containerId),
  };
}

function resolved(image: KnownImage): ResolvedImage {
  const { architecture, os, created, config } = image.config;
  const given = Object.entries(config ?? {}).filter(([, value]) => value !== null && value !== undefined);
  return {
    id: image.id,
    config: {
      architecture,
      os,
      ...(created === undefined || created === null ? {} : { created }),
      // Parsed by the schema of registry/manifest.ts; nulls are gone.
      config: Object.fromEntries(given),
    },
    layers: image.layers.map(({ diffId }) => diffId),
  };
}

function hostPlatform(): Platform {
  return { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
}
