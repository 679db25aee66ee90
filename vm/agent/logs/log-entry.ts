/**
 * One line of a container's log file, in Docker's json-file format as the monitor writes it:
 * `{"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.123456789Z"}`. Its frame has a fixed size, so the text is
 * found without parsing JSON.
 */

export type LogStream = 'stdout' | 'stderr';

const prefix = Buffer.from('{"log":"');
const streamMark = Buffer.from('","stream":"std');
const timeLength = 30;
/** `","stream":"stdout","time":"` + time + `"}`. */
const suffixLength = 12 + 6 + 10 + timeLength + 2;
const backslash = 0x5c;
const letterN = 0x6e;
const newline = 0x0a;
/** Offset in the suffix of the letter that tells `stdout` from `stderr`. */
const streamLetter = 15;
const letterO = 0x6f;

/** A view on one line's bytes (without its newline); valid as long as the buffer it was read into. */
export class LogEntry {
  private readonly line: Buffer;
  private readonly textEnd: number;

  /** Undefined: not a line the monitor wrote (torn by a full disk or a power cut). */
  static from(line: Buffer): LogEntry | undefined {
    const textEnd = line.length - suffixLength;
    if (textEnd < prefix.length || line.compare(prefix, 0, prefix.length, 0, prefix.length) !== 0) return undefined;
    if (line.compare(streamMark, 0, streamMark.length, textEnd, textEnd + streamMark.length) !== 0) return undefined;
    return new LogEntry(line, textEnd);
  }

  private constructor(line: Buffer, textEnd: number) {
    this.line = line;
    this.textEnd = textEnd;
  }

  get stream(): LogStream {
    return this.line[this.textEnd + streamLetter] === letterO ? 'stdout' : 'stderr';
  }

  /** RFC 3339 with nine decimals in UTC: comparable as text. */
  get time(): string {
    const end = this.line.length - 2;
    return this.line.toString('latin1', end - timeLength, end);
  }

  /** False for a part of a line too long to be kept whole; the next entry of the stream goes on with it. */
  get endsLine(): boolean {
    return this.line[this.textEnd - 1] === letterN && this.line[this.textEnd - 2] === backslash && !this.isEscapedN();
  }

  /** Writes the text at `offset`; never more bytes than the line itself has. Returns the offset after it. */
  copyText(target: Buffer, offset: number): number {
    const { line, textEnd } = this;
    const firstEscape = line.indexOf(backslash, prefix.length);
    if (firstEscape < 0 || firstEscape >= textEnd) return offset + line.copy(target, offset, prefix.length, textEnd);
    if (firstEscape === textEnd - 2 && line[firstEscape + 1] === letterN) {
      const end = offset + line.copy(target, offset, prefix.length, firstEscape);
      target[end] = newline;
      return end + 1;
    }
    const quoted = line.toString('utf8', prefix.length - 1, textEnd + 1);
    return offset + target.write(JSON.parse(quoted) as string, offset);
  }

  /** Whether the final `\n` is a backslash's escape followed by the letter n. */
  private isEscapedN(): boolean {
    let backslashes = 0;
    for (let at = this.textEnd - 2; at >= prefix.length && this.line[at] === backslash; at -= 1) backslashes += 1;
    return backslashes % 2 === 0;
  }
}
