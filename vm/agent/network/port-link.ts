/**
 * The guest's side of the ports protocol (`vm/contract/wherry-api.ts`): keeps what is wanted, and tells whichever host is
 * attached. A host that does not answer in time is cut off; when it comes back, `sync` makes both sides agree again.
 */
import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { z } from 'zod';
import type { FailedPort, PortMessageToHost, WantedPort } from '../../contract/wherry-api.ts';

/** A host with many ports is given more time for the first message. */
const syncMsPerPort = 50;
const maxLineBytes = 4 << 20;

export type AddOutcome =
  | { readonly kind: 'bound' }
  /** No host is attached: it will be asked when one is, and `onSettled` told. */
  | { readonly kind: 'pending' }
  /** No longer wanted. */
  | { readonly kind: 'failed'; readonly reason: FailedPort['reason']; readonly message: string };

export interface PortLink {
  /** A newer stream replaces an older one. */
  serve(stream: Duplex): void;
  add(port: WantedPort): Promise<AddOutcome>;
  /** Resolves when the host has let go of it, cannot any more, or had its time. */
  remove(port: WantedPort): Promise<void>;
  /** Wanted from before the agent's restart; told to the host by the next sync. */
  adopt(ports: readonly WantedPort[]): void;
  close(): void;
}

export interface PortLinkOptions {
  readonly deadlineMs?: number;
  /** After a sync, for each wanted port that no `add` is waiting for. */
  readonly onSettled: (port: WantedPort, failed: FailedPort | undefined) => void;
}

interface Session {
  readonly stream: Duplex;
  /** What each unanswered message was about. */
  readonly asked: Map<number, { readonly ports: readonly WantedPort[]; readonly done: () => void }>;
}

type Settle = (outcome: AddOutcome) => void;

const wantedPort = z.object({
  protocol: z.enum(['tcp', 'udp']),
  hostIp: z.string(),
  hostPort: z.number(),
  guestPort: z.number(),
  containerId: z.string(),
});
const messageToGuest = z.object({
  kind: z.literal('done'),
  id: z.number(),
  failed: z.array(z.object({ port: wantedPort, reason: z.enum(['taken', 'forbidden', 'other']), message: z.string() })),
});

const keyOf = (port: WantedPort): string => `${port.protocol} ${port.hostIp} ${port.hostPort} ${port.guestPort}`;

export function createPortLink({ deadlineMs = 5000, onSettled }: PortLinkOptions): PortLink {
  const wanted = new Map<string, WantedPort>();
  const waiting = new Map<string, Settle>();
  let session: Session | undefined;
  let lastId = 0;

  const end = (ended: Session): void => {
    ended.stream.destroy();
    if (session !== ended) return;
    session = undefined;
    for (const { done } of ended.asked.values()) done();
    ended.asked.clear();
  };

  const tell = (to: Session, message: PortMessageToHost, ports: readonly WantedPort[], done: () => void): void => {
    to.asked.set(message.id, { ports, done });
    to.stream.write(`${JSON.stringify(message)}\n`);
  };
  /** Resolves when it is answered, or never will be. */
  const ask = (to: Session, message: PortMessageToHost, ports: readonly WantedPort[], limitMs: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => end(to), limitMs);
      tell(to, message, ports, () => {
        clearTimeout(timer);
        resolve();
      });
    });

  const settle = (port: WantedPort, failed: FailedPort | undefined): void => {
    const key = keyOf(port);
    const waiter = waiting.get(key);
    waiting.delete(key);
    if (waiter !== undefined) {
      waiter(
        failed === undefined ? { kind: 'bound' } : { kind: 'failed', reason: failed.reason, message: failed.message },
      );
    } else if (wanted.has(key)) {
      onSettled(port, failed);
    }
  };

  const receive = (from: Session, line: string): void => {
    const message = messageToGuest.parse(JSON.parse(line));
    const question = from.asked.get(message.id);
    if (question === undefined) return;
    from.asked.delete(message.id);
    const failed = new Map(message.failed.map((one) => [keyOf(one.port), one]));
    for (const port of question.ports) settle(port, failed.get(keyOf(port)));
    question.done();
  };

  return {
    serve(stream) {
      const previous = session;
      const current: Session = { stream, asked: new Map() };
      session = current;
      if (previous !== undefined) {
        for (const { done } of previous.asked.values()) done();
        previous.asked.clear();
        previous.stream.destroy();
      }
      readLines(stream, (line) => {
        try {
          receive(current, line);
        } catch {
          // Not our protocol: the host will come again, and find out what is wanted.
          end(current);
        }
      });
      stream.on('error', () => end(current));
      stream.on('close', () => end(current));
      stream.on('end', () => end(current));
      const ports = [...wanted.values()];
      void ask(current, { kind: 'sync', id: ++lastId, ports }, ports, deadlineMs + ports.length * syncMsPerPort);
    },

    add(port) {
      const key = keyOf(port);
      wanted.set(key, port);
      const current = session;
      if (current === undefined) return Promise.resolve({ kind: 'pending' });
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          waiting.delete(key);
          if (session === undefined) {
            resolve({ kind: 'pending' });
            return;
          }
          wanted.delete(key);
          // It may or may not have bound it: only a fresh sync can tell.
          end(session);
          resolve({ kind: 'failed', reason: 'other', message: 'the host did not answer in time' });
        }, deadlineMs);
        waiting.set(key, (outcome) => {
          clearTimeout(timer);
          if (outcome.kind === 'failed') wanted.delete(key);
          resolve(outcome);
        });
        tell(current, { kind: 'add', id: ++lastId, port }, [port], () => undefined);
      });
    },

    async remove(port) {
      wanted.delete(keyOf(port));
      if (session !== undefined) await ask(session, { kind: 'remove', id: ++lastId, port }, [], deadlineMs);
    },

    adopt(ports) {
      for (const port of ports) wanted.set(keyOf(port), port);
    },

    close() {
      if (session !== undefined) end(session);
    },
  };
}

function readLines(stream: Duplex, onLine: (line: string) => void): void {
  let rest = '';
  // Not `setEncoding`: a connection taken over from Node's HTTP server refuses it.
  const decoder = new StringDecoder('utf8');
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (rest.length > maxLineBytes) stream.destroy();
  });
  // An upgraded connection is handed over paused.
  stream.resume();
}
