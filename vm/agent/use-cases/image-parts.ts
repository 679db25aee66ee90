/** What the image use cases work with; built once in `images-service.ts`. */
import type { BlobStore } from '../content/blob-store.ts';
import type { Leases } from '../content/leases.ts';
import type { ImageUser } from '../images.ts';
import type { Credentials } from '../registry/auth.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { Download } from '../registry/download.ts';
import type { Platform } from '../registry/platform.ts';
import type { RepositoryName } from '../registry/reference.ts';
import type { ContentSource } from '../registry/source.ts';
import type { Snapshotter } from '../snapshots/snapshotter.ts';
import type { UnpackProgram } from '../snapshots/unpack-program.ts';
import type { ImageRecords } from '../state/images.ts';
import type { LayerFetcher } from './fetch-layer.ts';

/** A registry's repository, to pull from and push to. */
export type Repository = ContentSource &
  Pick<
    RegistryClient,
    'tags' | 'repositories' | 'ping' | 'search' | 'hasBlob' | 'mountBlob' | 'uploadBlob' | 'putManifest'
  >;

export interface ImageEvent {
  readonly action: 'pull' | 'push' | 'load' | 'save' | 'import' | 'tag' | 'untag' | 'delete';
  /** The image's id, or for a pull the name that was pulled. */
  readonly id: string;
  readonly name: string;
}

export interface ImageParts {
  readonly blobs: BlobStore;
  readonly snapshotter: Snapshotter;
  readonly leases: Leases;
  readonly records: ImageRecords;
  readonly layers: LayerFetcher;
  readonly program: UnpackProgram;
  readonly platform: Platform;
  connect(repository: RepositoryName, credentials: Credentials | undefined): Repository;
  /** To pull from: by way of mirrors where there are any. They get no credentials. */
  source(repository: RepositoryName, credentials: Credentials | undefined): ContentSource;
  download(address: URL, signal: AbortSignal): Promise<Download>;
  /** Containers that use images. */
  imageUsers(): readonly ImageUser[];
  onEvent(event: ImageEvent): void;
  readonly nowMs: () => number;
}
