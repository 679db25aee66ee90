import { KernelError, type NetlinkSocket } from '../kernel.ts';
import {
  decodeMessages,
  decodeOutcome,
  encodeMessage,
  messageFlags,
  messageTypes,
  type NetlinkMessage,
} from './message.ts';

/** One message to the kernel. */
export interface NetlinkRequest {
  /** For the error: `add address 172.17.0.2/16 to eth0`. */
  readonly attempt: string;
  readonly type: number;
  /** Besides `request`. A message with neither `acknowledge` nor `dump` is not answered. */
  readonly flags: number;
  readonly body: Buffer;
  /** Failures that are as good as success to the caller. */
  readonly expected?: readonly string[];
}

let lastSequence = 0;

/**
 * Sends all requests at once and resolves with what the kernel answered to each. The kernel handles them in order and goes on
 * after a failure. Rejects with the first unexpected {@link KernelError}.
 */
export async function request(
  socket: NetlinkSocket,
  requests: readonly NetlinkRequest[],
): Promise<readonly (readonly NetlinkMessage[])[]> {
  const sequences = requests.map(() => (lastSequence = (lastSequence + 1) >>> 0));
  const bytes = requests.map((one, i) =>
    encodeMessage({
      type: one.type,
      flags: one.flags | messageFlags.request,
      sequence: sequences[i] ?? 0,
      body: one.body,
    }),
  );
  const answered = requests.filter((one) => (one.flags & (messageFlags.acknowledge | messageFlags.dump)) !== 0);
  const messages = decodeMessages(await socket.exchange(Buffer.concat(bytes), answered.length));
  for (const outcome of messages.map(decodeOutcome)) {
    if (outcome === undefined || outcome.errno === 0) continue;
    const failed = requests[sequences.indexOf(outcome.sequence)];
    if (failed === undefined) continue;
    const error = new KernelError(failed.attempt, outcome.errno, outcome.detail);
    if (failed.expected?.includes(error.code) !== true) throw error;
  }
  return sequences.map((sequence) =>
    messages.filter(
      (message) =>
        message.sequence === sequence && message.type !== messageTypes.error && message.type !== messageTypes.done,
    ),
  );
}
