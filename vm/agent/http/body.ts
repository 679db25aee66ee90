/** Reads JSON request bodies, bounded in size and time. */
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { EngineError } from '../../contract/errors.ts';
import { readUpgradedBody } from './hijack.ts';

export const maxBodyBytes = 4 * 1024 * 1024;
const bodyTimeoutMs = 30_000;

/**
 * The parsed body, `undefined` when there is none.
 * Rejects with Docker's words for malformed JSON, and when the client sends more or slower than allowed.
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const bytes = await readBody(request);
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (error) {
    throw new EngineError('invalid-parameter', `invalid JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** The body checked by a schema; an empty body is `{}`. */
export async function readBodyAs<Schema extends z.ZodType>(
  request: IncomingMessage,
  schema: Schema,
): Promise<z.infer<Schema>> {
  return parseAs(schema, (await readJson(request)) ?? {});
}

/** Checks a value from outside; the first problem becomes the message. */
export function parseAs<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  throw new EngineError(
    'invalid-parameter',
    `invalid JSON: ${where === '' ? '' : `${where}: `}${issue?.message ?? ''}`,
  );
}

/** For requests whose body means nothing but is on the connection all the same. */
export async function skipBody(request: IncomingMessage): Promise<void> {
  await readBody(request);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const timer = setTimeout(() => {
    const late = new EngineError('invalid-parameter', 'the request body did not arrive in time');
    request.destroy(late);
    request.socket.destroy();
  }, bodyTimeoutMs);
  try {
    return (await readUpgradedBody(request, maxBodyBytes)) ?? (await readStream(request));
  } catch (cause) {
    if (!request.destroyed || cause instanceof EngineError) throw cause;
    throw new EngineError('invalid-parameter', 'the request body ended early', { cause });
  } finally {
    clearTimeout(timer);
  }
}

async function readStream(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new EngineError('too-large', `the request body is over ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
