/** Keeps the guest's ports channel open: reads what it wants, answers what became of it. */
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import type { FailedPort, PortMessageToGuest, PortMessageToHost } from '../../vm/contract/wherry-api.ts';
import { delay } from '../wait.ts';

const firstPauseMs = 200;
const longestPauseMs = 3000;
const lineLimitBytes = 4 * 1024 * 1024;

const wantedSchema = z.object({
  protocol: z.enum(['tcp', 'udp']),
  // A name would be looked up, and rules of the monitor are split at spaces and colons.
  hostIp: z.union([z.ipv4(), z.ipv6()]),
  hostPort: z.int().min(1).max(65_535),
  guestPort: z.int().min(1).max(65_535),
  containerId: z.string(),
});
const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sync'), id: z.number(), ports: z.array(wantedSchema) }),
  z.object({ kind: z.literal('add'), id: z.number(), port: wantedSchema }),
  z.object({ kind: z.literal('remove'), id: z.number(), port: wantedSchema }),
]);

export interface PortsChannelOptions {
  /** Opens the upgraded stream. */
  readonly open: (signal: AbortSignal) => Promise<Duplex>;
  readonly handle: (message: PortMessageToHost) => Promise<readonly FailedPort[]>;
}

/** Runs until the signal aborts; a lost channel is opened again, and the guest then sends a fresh `sync`. */
export async function keepPortsChannel(options: PortsChannelOptions, signal: AbortSignal): Promise<void> {
  let pauseMs = firstPauseMs;
  while (!signal.aborted) {
    try {
      const stream = await options.open(signal);
      pauseMs = firstPauseMs;
      await serveChannel(stream, options.handle, signal);
    } catch {
      // The link reports its own state; the guest shows its containers' ports as not bound until we are back.
    }
    await delay(pauseMs, signal).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

/** One channel's life. Messages are answered in order. Rejects when the guest speaks another language. */
export async function serveChannel(
  stream: Duplex,
  handle: PortsChannelOptions['handle'],
  signal: AbortSignal,
): Promise<void> {
  const end = (): void => void stream.destroy();
  signal.addEventListener('abort', end, { once: true });
  stream.on('error', () => undefined);
  try {
    let rest = '';
    stream.setEncoding('utf8');
    for await (const text of stream as AsyncIterable<string>) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > lineLimitBytes) throw new Error('a message of the guest is too long');
      for (const line of lines) if (line.trim() !== '') await answer(stream, line, handle);
    }
  } finally {
    signal.removeEventListener('abort', end);
    stream.destroy();
  }
}

async function answer(stream: Duplex, line: string, handle: PortsChannelOptions['handle']): Promise<void> {
  const message: PortMessageToHost = messageSchema.parse(JSON.parse(line));
  const failed = await handle(message);
  const done: PortMessageToGuest = { kind: 'done', id: message.id, failed };
  stream.write(`${JSON.stringify(done)}\n`);
}
