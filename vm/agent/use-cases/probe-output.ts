/** What a health check printed: both streams, out of Docker's frames, and only the beginning of it. */
import { FrameReader } from './frames.ts';

const maxBytes = 4096;

export class ProbeOutput {
  private readonly frames = new FrameReader();
  private readonly kept: Buffer[] = [];
  private keptBytes = 0;
  private isCut = false;

  push(chunk: Buffer): void {
    for (const { bytes } of this.frames.read(chunk)) {
      const kept = bytes.subarray(0, maxBytes - this.keptBytes);
      if (kept.length > 0) this.kept.push(kept);
      this.keptBytes += kept.length;
      this.isCut ||= kept.length < bytes.length;
    }
  }

  toString(): string {
    return `${Buffer.concat(this.kept).toString('utf8')}${this.isCut ? '...' : ''}`;
  }
}
