/** A repository by way of mirrors: each is tried once, in order, and the registry itself at the end. */
import type { Descriptor } from './manifest.ts';
import type { BlobStream, ContentSource, FetchedManifest } from './source.ts';

/**
 * Whoever gave the manifest gives the rest too, until it fails: then the next in the row does. Content is named by its digest, so
 * a mirror can withhold it but not change it; what a tag means is the mirror's word, as it is with Docker.
 */
export class MirroredSource implements ContentSource {
  /** The registry itself is the last. */
  private readonly sources: readonly [ContentSource, ...ContentSource[]];
  private readonly onSkip: (reason: unknown) => void;
  private at = 0;

  /** @param onSkip told why a mirror is given up */
  constructor(mirrors: readonly ContentSource[], registry: ContentSource, onSkip: (reason: unknown) => void) {
    this.sources = [...mirrors, registry] as unknown as readonly [ContentSource, ...ContentSource[]];
    this.onSkip = onSkip;
  }

  manifest(tagOrDigest: string, signal: AbortSignal): Promise<FetchedManifest> {
    return this.first((source) => source.manifest(tagOrDigest, signal), signal);
  }

  blob(descriptor: Descriptor, signal: AbortSignal): Promise<Buffer> {
    return this.first((source) => source.blob(descriptor, signal), signal);
  }

  open(descriptor: Descriptor, offset: number, signal: AbortSignal): Promise<BlobStream> {
    return this.first((source) => source.open(descriptor, offset, signal), signal);
  }

  /** A mirror that breaks off in the middle is not waited for. */
  retryDelayMs(error: unknown, attempt: number): number | undefined {
    if (!this.skip(this.at, error)) return this.current.retryDelayMs(error, attempt);
    return 0;
  }

  private get current(): ContentSource {
    return this.sources[this.at] ?? this.sources[0];
  }

  private async first<T>(ask: (source: ContentSource) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      const asked = this.at;
      try {
        return await ask(this.current);
      } catch (error) {
        if (signal.aborted || !this.skip(asked, error)) throw error;
      }
    }
  }

  /** False: there is nobody behind it. Several layers may fail at once: that skips one. */
  private skip(failed: number, reason: unknown): boolean {
    if (failed >= this.sources.length - 1) return false;
    if (failed === this.at) {
      this.at += 1;
      this.onSkip(reason);
    }
    return true;
  }
}
