/** Sends a signal; SIGKILL and the container's own stop signal are meant to end it and are waited for. */
import { EngineError } from '../../contract/errors.ts';
import { isRunning } from '../state/container-record.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import { publishContainerEvent } from './parts.ts';
import type { Parts } from './parts.ts';
import { maxSignal, parseSignal } from './signals.ts';

const killed = 9;

/** Throws `conflict` when the container does not run. */
export async function killContainer(parts: Parts, reference: string, signal: string): Promise<void> {
  const number = signalToSend(signal, reference);
  const { id } = findToKill(parts, reference);
  const live = parts.live.of(id);
  const { running } = await live.lock.run(async () => {
    const record = parts.store.find(id);
    const process = live.running;
    if (!isRunning(record) || process === undefined) {
      throw new EngineError('conflict', `Cannot kill container: ${reference}: Container ${id} is not running`);
    }
    const stopSignal = parseSignal(record.config.StopSignal ?? 'SIGTERM');
    // A container that was told to end must not be started again by its policy.
    if (number === killed || number === stopSignal) {
      live.stopping = true;
      parts.store.update(id, { manuallyStopped: true });
    }
    await process.kill(number);
    if (record.state.status === 'paused' && number === killed) await process.resume();
    publishContainerEvent(parts, record, 'kill', { signal: String(number) });
    return { running: process };
  });
  if (number !== killed) return;
  await running.exited;
  await live.lock.run(() => Promise.resolve());
}

/** Any other number is a signal, but not one of Linux; Docker tells the two apart. */
function signalToSend(signal: string, reference: string): number {
  if (/^\d+$/.test(signal) && Number(signal) > maxSignal) {
    throw new EngineError(
      'invalid-parameter',
      `Cannot kill container: ${reference}: The linux daemon does not support signal ${signal}`,
    );
  }
  return parseSignal(signal === '' ? 'KILL' : signal);
}

function findToKill(parts: Parts, reference: string): ContainerRecord {
  try {
    return parts.store.find(reference);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError(error.code, `Cannot kill container: ${reference}: ${error.message}`, { cause: error });
  }
}
