/** Connection, VM and link boiled down to what the sidebar, the banner and the screens need. Pure. */
import type { ConnectionState } from '../../src-main/contract/reconnecting-client.ts';
import type { VmState, VmStage, VmView } from '../../src-main/contract/vm.ts';

export type HealthTone = 'good' | 'busy' | 'warn' | 'bad' | 'off';

/** What the one button does. */
export type Mend = 'start' | 'mend' | 'reload';

export interface Health {
  readonly tone: HealthTone;
  /** Two or three words for the sidebar. */
  readonly title: string;
  /** One line: what is happening or wrong. */
  readonly detail: string;
  /** The next step, when something is wrong. */
  readonly hint?: string;
  readonly mend?: Mend;
  readonly mendLabel?: string;
  /** Whether the engine answers right now. */
  readonly usable: boolean;
}

export const stageNames: Readonly<Record<VmStage, string>> = {
  prepare: 'Files and disks',
  process: 'Virtual machine',
  monitor: 'Machine monitor',
  ssh: 'Secure link',
  agent: 'Agent',
  disk: 'Data disk',
  network: 'Network',
  engine: 'Engine',
};

export function summarizeHealth(connection: ConnectionState, view: VmView | undefined): Health {
  if (connection.kind === 'refused') {
    return {
      tone: 'bad',
      title: 'Not let in',
      detail: connection.reason.message,
      ...(connection.reason.hint === undefined ? {} : { hint: connection.reason.hint }),
      mend: 'reload',
      mendLabel: 'Reload',
      usable: false,
    };
  }
  if (connection.kind === 'connecting') {
    return connection.reason
      ? {
          tone: 'bad',
          title: 'Wherry is away',
          detail: 'This window lost its connection to Wherry and keeps trying.',
          hint: 'If this stays, start Wherry again; containers are not affected.',
          usable: false,
        }
      : { tone: 'busy', title: 'Connecting', detail: 'Reaching Wherry on this computer.', usable: false };
  }
  if (!view) return { tone: 'busy', title: 'Connecting', detail: 'Asking for the state of the engine.', usable: false };
  return summarizeState(view.state, view);
}

function summarizeState(state: VmState, view: VmView): Health {
  switch (state.kind) {
    case 'absent':
      return {
        tone: 'off',
        title: 'Engine is off',
        detail: 'The virtual machine is not running.',
        mend: 'start',
        mendLabel: 'Start',
        usable: false,
      };
    case 'booting': {
      const label = view.stages.find(({ stage }) => stage === state.stage)?.label ?? stageNames[state.stage];
      return {
        tone: 'busy',
        title: state.attempt > 1 ? `Starting, try ${state.attempt}` : 'Starting',
        detail: label,
        usable: false,
      };
    }
    case 'ready':
      return summarizeReady(view);
    case 'sleeping':
      if (state.step === 'saving') {
        return { tone: 'busy', title: 'Falling asleep', detail: 'Saving the virtual machine to disk.', usable: false };
      }
      return {
        tone: 'off',
        title: 'Asleep',
        detail: 'Saved to disk; any docker command or published port wakes it.',
        mend: 'start',
        mendLabel: 'Wake',
        usable: false,
      };
    case 'resuming':
      return { tone: 'busy', title: 'Waking up', detail: 'Restoring the saved state.', usable: false };
    case 'stopping': {
      const steps = {
        guest: 'Asking the system to shut down.',
        'power-button': 'Pressing the power button.',
        kill: 'Ending the virtual machine.',
      };
      return { tone: 'busy', title: 'Stopping', detail: steps[state.step], usable: false };
    }
    case 'failed':
      return {
        tone: 'bad',
        title: `Failed: ${stageNames[state.stage]}`,
        detail: state.message,
        hint: state.hint,
        mend: 'mend',
        mendLabel: 'Mend',
        usable: false,
      };
  }
}

function summarizeReady(view: VmView): Health {
  if (view.link === 'up') {
    const [warning] = view.warnings;
    return warning
      ? { tone: 'warn', title: 'Engine ready', detail: warning.message, hint: warning.hint, usable: true }
      : { tone: 'good', title: 'Engine ready', detail: 'Everything answers.', usable: true };
  }
  return {
    tone: 'warn',
    title: 'Link is down',
    detail: 'The virtual machine runs; the connection to it is being rebuilt.',
    mend: 'mend',
    mendLabel: 'Mend',
    usable: false,
  };
}
