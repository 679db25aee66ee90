/** The VM's state machine: a pure function, so that every change is one of the few written here. */
import { AppError } from '../contract/errors.ts';
import type { VmStage, VmState } from '../contract/vm.ts';

export type VmEvent =
  /** Somebody wants it running: a boot, or attaching to a VM that runs already. */
  | { readonly kind: 'start'; readonly atMs: number }
  | { readonly kind: 'stage'; readonly stage: VmStage }
  /** Its state is being saved; then it is, here or by an earlier process; or could not be, and it runs on as it was. */
  | { readonly kind: 'sleep' }
  | { readonly kind: 'asleep' }
  | { readonly kind: 'stay'; readonly sinceMs: number; readonly bootTookMs: number }
  /** The saved state is being restored; when it does not fit, `start` follows. */
  | { readonly kind: 'resume'; readonly atMs: number }
  /** The first boot failed and another is tried. */
  | { readonly kind: 'retry' }
  | { readonly kind: 'ready'; readonly atMs: number }
  | { readonly kind: 'stop'; readonly step: 'guest' | 'power-button' | 'kill' }
  | { readonly kind: 'fail'; readonly stage: VmStage; readonly message: string; readonly hint: string }
  /** The process is gone. Expected while stopping; in `ready` it is a failure, reported with `fail` instead. */
  | { readonly kind: 'gone' };

/**
 * The state after an event.
 * @throws AppError `internal` when the event cannot happen in this state: a bug in the caller, never the user's doing.
 */
export function transition(state: VmState, event: VmEvent): VmState {
  switch (event.kind) {
    case 'start':
      if (state.kind !== 'absent' && state.kind !== 'failed' && state.kind !== 'resuming')
        throw impossible(state, event);
      return { kind: 'booting', stage: 'prepare', attempt: 1, startedAtMs: event.atMs };
    case 'stage':
      if (state.kind !== 'booting') throw impossible(state, event);
      return { ...state, stage: event.stage };
    case 'retry':
      if (state.kind !== 'booting') throw impossible(state, event);
      return { ...state, stage: 'prepare', attempt: state.attempt + 1 };
    case 'sleep':
      if (state.kind !== 'ready') throw impossible(state, event);
      return { kind: 'sleeping', step: 'saving' };
    case 'asleep':
      if (state.kind !== 'sleeping' && state.kind !== 'absent') throw impossible(state, event);
      return { kind: 'sleeping', step: 'saved' };
    case 'stay':
      if (state.kind !== 'sleeping') throw impossible(state, event);
      return { kind: 'ready', sinceMs: event.sinceMs, bootTookMs: event.bootTookMs };
    case 'resume':
      if (state.kind !== 'sleeping') throw impossible(state, event);
      return { kind: 'resuming', startedAtMs: event.atMs };
    case 'ready':
      if (state.kind !== 'booting' && state.kind !== 'resuming') throw impossible(state, event);
      return { kind: 'ready', sinceMs: event.atMs, bootTookMs: Math.max(0, event.atMs - state.startedAtMs) };
    case 'stop':
      if (state.kind === 'absent') throw impossible(state, event);
      return { kind: 'stopping', step: event.step };
    case 'fail':
      if (state.kind === 'absent') throw impossible(state, event);
      return { kind: 'failed', stage: event.stage, message: event.message, hint: event.hint };
    case 'gone':
      if (state.kind === 'ready') throw impossible(state, event);
      return { kind: 'absent' };
  }
}

function impossible(state: VmState, event: VmEvent): AppError {
  return new AppError('internal', `change the VM's state: '${event.kind}' cannot happen when it is '${state.kind}'`);
}
