/** Stops a container: its stop signal, a time to end by itself, then SIGKILL. */
import { EngineError } from '../../contract/errors.ts';
import { isRunning } from '../state/container-record.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import { publishContainerEvent } from './parts.ts';
import type { Parts } from './parts.ts';
import { parseSignal } from './signals.ts';

export interface StopOptions {
  /** Instead of the container's own stop signal. */
  readonly signal?: string | undefined;
  /** Instead of the container's own stop time-out; negative: for ever. */
  readonly timeoutSeconds?: number | undefined;
}

const defaultTimeoutSeconds = 10;
const defaultSignal = 'SIGTERM';
/** SIGKILL ends a process unless the kernel itself hangs. */
const killTimeoutMs = 15_000;

/** Returns when the container has ended. Throws `not-modified` when it does not run. */
export async function stopContainer(
  parts: Parts,
  reference: string,
  options: StopOptions,
  flags: { readonly byUser: boolean } = { byUser: true },
): Promise<void> {
  const { id } = parts.store.find(reference);
  const live = parts.live.of(id);
  const ended = await live.lock.run(() => beginStop(parts, id, options, flags.byUser));
  if (ended === undefined) return;
  const record = parts.store.find(id);
  const timeoutSeconds = options.timeoutSeconds ?? record.config.StopTimeout ?? defaultTimeoutSeconds;
  if (!(await endsWithin(ended, timeoutSeconds < 0 ? undefined : timeoutSeconds * 1000))) {
    await killHard(parts, record, ended);
  }
  publishContainerEvent(parts, record, 'stop');
}

/** Sends the signal; resolves with what tells the end, or undefined when nothing is left to wait for. */
async function beginStop(
  parts: Parts,
  id: string,
  options: StopOptions,
  byUser: boolean,
): Promise<{ readonly promise: Promise<unknown> } | undefined> {
  const live = parts.live.of(id);
  const record = parts.store.find(id);
  if (record.state.status === 'restarting') {
    clearTimeout(live.restart?.timer);
    live.restart = undefined;
    parts.store.update(id, { state: { ...record.state, status: 'exited' }, manuallyStopped: byUser });
    live.tellExit({ exitCode: record.state.exitCode });
    return undefined;
  }
  const { running } = live;
  if (!isRunning(record) || running === undefined) {
    if (byUser) parts.store.update(id, { manuallyStopped: true });
    throw new EngineError('not-modified', `Container ${id} is already stopped`);
  }
  const signal = parseSignal(options.signal ?? record.config.StopSignal ?? defaultSignal);
  live.stopping = true;
  if (byUser) parts.store.update(id, { manuallyStopped: true });
  const ended = { promise: afterExit(parts, id, running.exited) };
  publishContainerEvent(parts, record, 'kill', { signal: String(signal) });
  await running.kill(signal);
  if (record.state.status === 'paused') await running.resume();
  return ended;
}

/** Resolves when the end of the process has been recorded too. */
async function afterExit(parts: Parts, id: string, exited: Promise<unknown>): Promise<void> {
  await exited;
  await parts.live.of(id).lock.run(() => Promise.resolve());
}

async function killHard(
  parts: Parts,
  record: ContainerRecord,
  ended: { readonly promise: Promise<unknown> },
): Promise<void> {
  publishContainerEvent(parts, record, 'kill', { signal: '9' });
  await parts.live.of(record.id).running?.kill(9);
  if (await endsWithin(ended, killTimeoutMs)) return;
  throw new EngineError('system', `cannot stop container: ${record.id}: it does not end even when killed`);
}

async function endsWithin(
  ended: { readonly promise: Promise<unknown> },
  timeoutMs: number | undefined,
): Promise<boolean> {
  if (timeoutMs === undefined) {
    await ended.promise;
    return true;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([ended.promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
