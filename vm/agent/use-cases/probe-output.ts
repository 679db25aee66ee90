/** What a health check printed: both streams, out of Docker's frames, and only the beginning of it. */

const maxBytes = 4096;
const headerBytes = 8;

export class ProbeOutput {
  private readonly kept: Buffer[] = [];
  private keptBytes = 0;
  private isCut = false;
  private header = Buffer.alloc(0);
  /** Of the current frame. */
  private missing = 0;

  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.missing === 0) rest = this.takeHeader(rest);
      else rest = this.takePayload(rest);
    }
  }

  toString(): string {
    return `${Buffer.concat(this.kept).toString('utf8')}${this.isCut ? '...' : ''}`;
  }

  private takeHeader(chunk: Buffer): Buffer {
    const wanted = headerBytes - this.header.length;
    this.header = Buffer.concat([this.header, chunk.subarray(0, wanted)]);
    if (this.header.length === headerBytes) {
      this.missing = this.header.readUInt32BE(4);
      this.header = Buffer.alloc(0);
    }
    return chunk.subarray(wanted);
  }

  private takePayload(chunk: Buffer): Buffer {
    const payload = chunk.subarray(0, this.missing);
    this.missing -= payload.length;
    const kept = payload.subarray(0, maxBytes - this.keptBytes);
    if (kept.length > 0) this.kept.push(kept);
    this.keptBytes += kept.length;
    this.isCut ||= kept.length < payload.length;
    return chunk.subarray(payload.length);
  }
}
