/** Docker's multiplexed streams (Engine API, attach): eight bytes before each frame say whose it is and how long. */
const headerBytes = 8;

export interface FramePiece {
  /** 1 stdout, 2 stderr. */
  readonly stream: number;
  readonly bytes: Buffer;
}

export class FrameReader {
  private header = Buffer.alloc(0);
  private stream = 0;
  /** Of the current frame. */
  private missing = 0;

  /** What is in this chunk; a frame may come in several pieces. */
  read(chunk: Buffer): FramePiece[] {
    const pieces: FramePiece[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      if (this.missing === 0) rest = this.takeHeader(rest);
      else {
        const bytes = rest.subarray(0, this.missing);
        this.missing -= bytes.length;
        pieces.push({ stream: this.stream, bytes });
        rest = rest.subarray(bytes.length);
      }
    }
    return pieces;
  }

  private takeHeader(chunk: Buffer): Buffer {
    const wanted = headerBytes - this.header.length;
    this.header = Buffer.concat([this.header, chunk.subarray(0, wanted)]);
    if (this.header.length === headerBytes) {
      this.stream = this.header[0] ?? 0;
      this.missing = this.header.readUInt32BE(4);
      this.header = Buffer.alloc(0);
    }
    return chunk.subarray(wanted);
  }
}
