/** Docker's stream of JSON lines that tells how a long work goes. */
import type { ServerResponse } from 'node:http';
import type { ProgressLine } from '../use-cases/pull-progress.ts';

/** A client that reads slowly gets every change of status but not every step of progress. */
const maxUnreadBytes = 256 * 1024;

export function writeProgress(response: ServerResponse, line: ProgressLine): void {
  if (line.progress === undefined || response.writableLength <= maxUnreadBytes) writeProgressLine(response, line);
}

/** Of whatever is told in such a stream. Nothing when the client is gone. */
export function writeProgressLine(response: ServerResponse, line: object): void {
  if (response.destroyed) return;
  if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'application/json' });
  response.write(`${JSON.stringify(line)}\r\n`);
}
