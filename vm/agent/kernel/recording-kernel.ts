/** {@link Kernel} for tests without root: does nothing, remembers what was asked, answers as it was told to. */
import { type Kernel, KernelError, type NetlinkProtocol, type NetlinkSocket } from './kernel.ts';
import { decodeMessages, encodeMessage, messageFlags, messageTypes, type NetlinkMessage } from './netlink/message.ts';

/** Of everything but netlink. */
export interface RecordedCall {
  readonly name: string;
  readonly args: readonly unknown[];
}

export interface RecordedMessage {
  readonly protocol: NetlinkProtocol;
  /** Undefined: the agent's own. */
  readonly namespacePath: string | undefined;
  readonly type: number;
  readonly body: Buffer;
}

/** An errno, or the messages of the answer. */
export type NetlinkAnswer = number | readonly { readonly type: number; readonly body: Buffer }[];

export interface RecordingKernel extends Kernel {
  readonly calls: readonly RecordedCall[];
  readonly messages: readonly RecordedMessage[];
  /** Sockets not yet closed. */
  readonly openSockets: number;
  /** What a call resolves with from now on, or the errno it is refused with. */
  tell(
    name: Exclude<keyof Kernel, 'openNetlink'>,
    outcome: { readonly result: number } | { readonly errno: number },
  ): void;
  /** Undefined: acknowledged, with nothing to say. */
  answerNetlink(answer: (message: RecordedMessage) => NetlinkAnswer | undefined): void;
}

export function createRecordingKernel(): RecordingKernel {
  const calls: RecordedCall[] = [];
  const messages: RecordedMessage[] = [];
  const outcomes = new Map<string, { result: number } | { errno: number }>();
  let answer: (message: RecordedMessage) => NetlinkAnswer | undefined = () => undefined;
  let openSockets = 0;

  const record = (name: string, ...args: unknown[]): Promise<number> => {
    calls.push({ name, args });
    const outcome = outcomes.get(name) ?? { result: 0 };
    if ('errno' in outcome)
      return Promise.reject(new KernelError(`${name} ${args.map(String).join(' ')}`, outcome.errno));
    return Promise.resolve(outcome.result);
  };
  const recordOnly = async (name: string, ...args: unknown[]): Promise<void> => {
    await record(name, ...args);
  };

  const handle = (message: NetlinkMessage, protocol: NetlinkProtocol, namespacePath: string | undefined): Buffer[] => {
    const recorded = { protocol, namespacePath, type: message.type, body: Buffer.from(message.body) };
    messages.push(recorded);
    const answered = answer(recorded) ?? [];
    const errno = typeof answered === 'number' ? answered : 0;
    const isDump = (message.flags & messageFlags.dump) === messageFlags.dump;
    const parts = typeof answered === 'number' ? [] : answered.map((part) => ({ ...part, flags: 0 }));
    if (isDump && errno === 0) parts.push({ type: messageTypes.done, flags: 0, body: Buffer.alloc(4) });
    else if (isDump || (message.flags & messageFlags.acknowledge) !== 0) {
      const body = Buffer.alloc(20);
      body.writeInt32LE(-errno);
      parts.push({ type: messageTypes.error, flags: 0, body });
    }
    return parts.map((part) => encodeMessage({ ...part, sequence: message.sequence }));
  };

  const openNetlink = (protocol: NetlinkProtocol, namespacePath?: string): Promise<NetlinkSocket> => {
    openSockets++;
    let closed = false;
    return Promise.resolve({
      exchange(bytes) {
        if (closed) return Promise.reject(new KernelError(`${protocol} netlink exchange`, 9));
        return Promise.resolve(
          Buffer.concat(decodeMessages(bytes).flatMap((message) => handle(message, protocol, namespacePath))),
        );
      },
      close() {
        if (!closed) openSockets--;
        closed = true;
      },
    });
  };

  return {
    calls,
    messages,
    get openSockets() {
      return openSockets;
    },
    tell: (name, outcome) => void outcomes.set(name, outcome),
    answerNetlink: (next) => (answer = next),
    mount: (request) => recordOnly('mount', request),
    unmount: (target, flags) => recordOnly('unmount', target, flags),
    open: (request) => record('open', request),
    syncFilesystem: (path) => recordOnly('syncFilesystem', path),
    trim: (mountPoint) => record('trim', mountPoint),
    setProject: (folder, project) => recordOnly('setProject', folder, project),
    setProjectLimit: (mountPoint, project, limitBytes) =>
      recordOnly('setProjectLimit', mountPoint, project, limitBytes),
    projectUsage: (mountPoint, project) => record('projectUsage', mountPoint, project),
    lockFile: (descriptor, lock) => recordOnly('lockFile', descriptor, lock),
    setClock: (nowMs) => recordOnly('setClock', nowMs),
    openProcess: (pid) => record('openProcess', pid),
    signalProcess: (descriptor, signal) => recordOnly('signalProcess', descriptor, signal),
    openNetlink,
  };
}
