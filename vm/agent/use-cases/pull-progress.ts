/** Progress of a pull as lines of Docker's JSON stream, exactly as its daemon words and shapes them. */
import { shortId } from '../registry/reference.ts';
import type { LayerStage } from './fetch-layer.ts';

export interface ProgressLine {
  readonly status?: string;
  readonly stream?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly progress?: string;
  readonly id?: string;
  readonly error?: string;
  /** What a machine wants to know of the result. */
  readonly aux?: object;
  readonly errorDetail?: { readonly message: string };
}

const minIntervalMs = 100;

/** Speaks for one layer; drops updates that come too fast, never a change of status. */
export class LayerReporter {
  private readonly id: string;
  private readonly report: (line: ProgressLine) => void;
  private readonly nowMs: () => number;
  private lastStatus = '';
  private lastMs = -Infinity;

  constructor(digest: string, report: (line: ProgressLine) => void, nowMs: () => number = () => performance.now()) {
    this.id = shortId(digest);
    this.report = report;
    this.nowMs = nowMs;
  }

  say(status: string): void {
    if (status === this.lastStatus) return;
    this.lastStatus = status;
    this.lastMs = -Infinity;
    this.report({ status, progressDetail: {}, id: this.id });
  }

  stage(stage: LayerStage): void {
    switch (stage.kind) {
      case 'waiting':
        this.say('Waiting');
        break;
      case 'downloading':
        this.progress('Downloading', stage.currentBytes, stage.totalBytes);
        break;
      case 'retrying':
        this.say(`Retrying in ${stage.seconds} second${stage.seconds === 1 ? '' : 's'}`);
        break;
      case 'downloaded':
        this.say('Verifying Checksum');
        this.say('Download complete');
        break;
      case 'extracting':
        this.progress('Extracting', stage.currentBytes, stage.totalBytes);
        break;
    }
  }

  progress(status: string, current: number, total: number): void {
    const now = this.nowMs();
    if (status === this.lastStatus && now - this.lastMs < minIntervalMs) return;
    this.lastStatus = status;
    this.lastMs = now;
    this.report({ status, progressDetail: { current, total }, progress: progressBar(current, total), id: this.id });
  }
}

/** `[==>      ]  1.2MB/3.4MB`, as Docker's terminals show it. */
export function progressBar(current: number, total: number): string {
  if (current <= 0 && total <= 0) return '';
  if (total <= 0) return humanSize(current).padStart(8);
  const filled = Math.min(50, Math.floor(Math.floor((current / total) * 100) / 2));
  const numbers =
    current > total ? humanSize(current).padStart(8) : `${humanSize(current).padStart(8)}/${humanSize(total)}`;
  return `[${'='.repeat(filled)}>${' '.repeat(50 - filled)}] ${numbers}`;
}

/** Four significant digits, powers of 1000. */
export function humanSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(4))}${units[unit] ?? ''}`;
}

export function errorLine(message: string): ProgressLine {
  return { errorDetail: { message }, error: message };
}
