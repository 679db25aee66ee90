/** Waits for a container's end. */
import { EngineError } from '../../contract/errors.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import type { FinalExit } from './live-containers.ts';
import type { Parts } from './parts.ts';

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

export function parseWaitCondition(text: string | null): WaitCondition {
  switch (text) {
    case null:
    case '':
    case 'not-running':
      return 'not-running';
    case 'next-exit':
    case 'removed':
      return text;
    default:
      throw new EngineError('invalid-parameter', `invalid condition: "${text}"`);
  }
}

/** Begins to wait at once, so that an end between this call and the promise's use is not missed. */
export function waitForContainer(
  parts: Parts,
  reference: string,
  condition: WaitCondition,
  signal: AbortSignal,
): { readonly id: string; readonly exit: Promise<FinalExit> } {
  const record = parts.store.find(reference);
  const live = parts.live.of(record.id);
  if (condition === 'removed') return { id: record.id, exit: live.removed(signal) };
  if (condition === 'not-running' && !isBusy(record)) {
    return { id: record.id, exit: Promise.resolve({ exitCode: record.state.exitCode }) };
  }
  return { id: record.id, exit: live.nextExit(signal) };
}

function isBusy(record: ContainerRecord): boolean {
  return ['running', 'paused', 'restarting'].includes(record.state.status);
}
