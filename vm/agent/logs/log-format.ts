/** From lines of the log file to what clients are sent: raw bytes for a terminal, frames of eight-byte headers otherwise. */
import { LogEntry } from './log-entry.ts';
import type { LogStream } from './log-entry.ts';

export interface LogSelection {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly timestamps: boolean;
  /** RFC 3339 with nine decimals in UTC, as in the file; inclusive. */
  readonly since: string | undefined;
  readonly until: string | undefined;
  /** Frames with Docker's header; false for a container with a terminal. */
  readonly framed: boolean;
}

const newline = 0x0a;
const headerBytes = 8;
const streamNumbers: Readonly<Record<LogStream, number>> = { stdout: 1, stderr: 2 };

export class LogFormatter {
  /** A line later than `until` was seen. */
  isPastEnd = false;
  private readonly selection: LogSelection;
  private readonly selectsByTime: boolean;
  /** Whether the stream's last entry was a part, so that its next one is not a line of its own. */
  private readonly goesOn: Record<LogStream, boolean> = { stdout: false, stderr: false };

  constructor(selection: LogSelection) {
    this.selection = selection;
    this.selectsByTime = selection.since !== undefined || selection.until !== undefined;
  }

  /** `block`: whole lines. What is sent is never longer than what was read, since a line's frame in the file is the larger. */
  format(block: Buffer): Buffer {
    const output = Buffer.allocUnsafe(block.length);
    let length = 0;
    for (let start = 0; start < block.length && !this.isPastEnd;) {
      const end = block.indexOf(newline, start);
      const entry = LogEntry.from(block.subarray(start, end));
      start = end + 1;
      if (entry !== undefined && this.isSelected(entry)) length = this.append(output, length, entry);
    }
    return output.subarray(0, length);
  }

  private isSelected(entry: LogEntry): boolean {
    const { stdout, stderr, since, until } = this.selection;
    if (!(stdout && stderr) && !(entry.stream === 'stdout' ? stdout : stderr)) return false;
    if (!this.selectsByTime) return true;
    const { time } = entry;
    if (until !== undefined && time > until) {
      this.isPastEnd = true;
      return false;
    }
    return since === undefined || time >= since;
  }

  private append(output: Buffer, offset: number, entry: LogEntry): number {
    const { stream } = entry;
    const start = this.selection.framed ? offset + headerBytes : offset;
    let end = start;
    if (this.selection.timestamps) {
      if (!this.goesOn[stream]) end += output.write(`${entry.time} `, end, 'latin1');
      this.goesOn[stream] = !entry.endsLine;
    }
    end = entry.copyText(output, end);
    if (this.selection.framed) {
      output.writeUInt32BE(streamNumbers[stream] * 2 ** 24, offset);
      output.writeUInt32BE(end - start, offset + 4);
    }
    return end;
  }
}
