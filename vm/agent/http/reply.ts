/** Answers: JSON bodies, errors, newline-delimited JSON streams. */
import type { ServerResponse } from 'node:http';
import { EngineError } from '../../contract/errors.ts';
import { drained } from '../drained.ts';
import { log } from '../log.ts';

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  response.end(body);
}

export function sendNothing(response: ServerResponse, status = 204): void {
  response.writeHead(status);
  response.end();
}

/** The error as Docker words it: `{"message": …}`. After the headers are out, the connection is cut instead. */
export function sendError(response: ServerResponse, error: unknown): void {
  const known = error instanceof EngineError;
  if (!known) log.error('a request failed unexpectedly', error);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (known && error.code === 'not-modified') {
    sendNothing(response, 304);
    return;
  }
  const message = error instanceof Error ? error.message : String(error);
  sendJson(response, { message }, known ? error.status : 500);
}

/** Writes one object of a JSON stream, waiting when the client reads slowly. Resolves also when the client is gone. */
export async function writeLine(response: ServerResponse, value: unknown, signal: AbortSignal): Promise<void> {
  await writeChunk(response, `${JSON.stringify(value)}\n`, signal);
}

/** Writes with backpressure; see {@link writeLine}. */
export async function writeChunk(
  response: ServerResponse,
  chunk: string | Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  if (!signal.aborted && !response.write(chunk)) await drained(response, signal);
}
