/** `GET /containers/:id/logs`. */
import { EngineError } from '../../contract/errors.ts';
import { parseTime, rfc3339 } from '../clock.ts';
import { readLogs } from '../logs/read-logs.ts';
import { isRunning } from '../state/container-record.ts';
import { containerPaths } from './parts.ts';
import type { Parts } from './parts.ts';

export interface LogsQuery {
  readonly follow: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly timestamps: boolean;
  /** `all`, empty, or a number. */
  readonly tail: string;
  readonly since: string;
  readonly until: string;
}

/** `tty`: the output is raw. Errors are thrown here, before anything is sent. */
export function containerLogs(
  parts: Parts,
  reference: string,
  query: LogsQuery,
  signal: AbortSignal,
): { readonly tty: boolean; readonly output: AsyncIterable<Buffer> } {
  const record = parts.store.find(reference);
  if (!query.stdout && !query.stderr) {
    throw new EngineError('invalid-parameter', 'Bad parameters: you must choose at least one stream');
  }
  if (record.hostConfig.LogConfig.Type === 'none') {
    throw new EngineError('not-implemented', 'configured logging driver does not support reading');
  }
  const request = {
    stdout: query.stdout,
    stderr: query.stderr,
    timestamps: query.timestamps,
    tail: parseTail(query.tail),
    since: parseBound('since', query.since),
    until: parseBound('until', query.until),
    framed: !record.config.Tty,
  };
  const { running } = parts.live.of(record.id);
  const follows = query.follow && isRunning(record) && running !== undefined;
  const follow = follows ? { ended: running.exited } : undefined;
  return {
    tty: record.config.Tty,
    output: readLogs(containerPaths(parts.config, record.id).log, request, follow, signal),
  };
}

/** Like Docker, anything that is no number means all. */
function parseTail(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function parseBound(name: string, text: string): string | undefined {
  if (text === '' || text === '0') return undefined;
  const time = parseTime(text);
  if (time === undefined) throw new EngineError('invalid-parameter', `invalid value for "${name}": ${text}`);
  return rfc3339(Number(time / 1_000_000n), Number(time % 1_000_000n));
}
