/** Where one repository's content comes from: a registry, or a folder in OCI layout. */
import type { Descriptor } from './manifest.ts';

export interface FetchedManifest {
  readonly bytes: Buffer;
  readonly digest: string;
  readonly mediaType: string | undefined;
}

export interface BlobStream {
  /** From here on; at most the descriptor's size in all. */
  readonly offset: number;
  /** Ending it early releases the connection. */
  readonly chunks: AsyncGenerator<Buffer, void, void>;
}

export interface ContentSource {
  /** By tag or digest; the bytes fit the digest that is returned. */
  manifest(tagOrDigest: string, signal: AbortSignal): Promise<FetchedManifest>;
  /** A small blob, verified. */
  blob(descriptor: Descriptor, signal: AbortSignal): Promise<Buffer>;
  /** A large one, from an offset where the source can; not verified. */
  open(descriptor: Descriptor, offset: number, signal: AbortSignal): Promise<BlobStream>;
  /** Whether to try again after this error, and when. Undefined: no. */
  retryDelayMs(error: unknown, attempt: number): number | undefined;
}
