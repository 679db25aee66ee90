/** The guest's way to ready, as data: each stage with its probe, its deadline and the hint shown when it is not reached. */
import { AppError } from '../contract/errors.ts';
import type { VmStage } from '../contract/vm.ts';
import { delay, withDeadline } from '../wait.ts';
import type { GuestHealth, StageHealth } from '../../vm/contract/wherry-api.ts';

/** What the stages ask. Every method rejects when it has no answer. */
export interface GuestProbes {
  /** Resolves when the SSH handshake with the pinned keys has succeeded. */
  ssh(signal: AbortSignal): Promise<void>;
  health(signal: AbortSignal): Promise<GuestHealth>;
  ping(signal: AbortSignal): Promise<void>;
}

export interface ReadinessStage {
  readonly stage: VmStage;
  /** What is waited for, in the user's words. */
  readonly label: string;
  /** For a hardware-accelerated guest; emulation gets a multiple. */
  readonly deadlineMs: number;
  readonly hint: string;
  /** Resolves when reached. A rejection means "not yet", except {@link GuestFault}, which is final. */
  readonly probe: (probes: GuestProbes, signal: AbortSignal) => Promise<void>;
}

/** The guest itself says that a stage failed: waiting or another boot would not help. */
export class GuestFault extends AppError {}

const consoleHint = 'See what the guest said last: wherry logs vm';

export const readinessStages: readonly ReadinessStage[] = [
  {
    stage: 'ssh',
    label: 'Waiting for the guest to start',
    deadlineMs: 60_000,
    hint: consoleHint,
    probe: (probes, signal) => probes.ssh(signal),
  },
  {
    stage: 'agent',
    label: 'Waiting for the agent to answer',
    deadlineMs: 30_000,
    hint: consoleHint,
    probe: async (probes, signal) => {
      await probes.health(signal);
    },
  },
  {
    stage: 'disk',
    label: 'Opening the data disk',
    deadlineMs: 60_000,
    hint: 'A large disk may be repairing itself. See: wherry logs vm',
    probe: async (probes, signal) => requireOk('open the data disk', (await probes.health(signal)).disk),
  },
  {
    stage: 'network',
    label: 'Setting up the network',
    deadlineMs: 30_000,
    hint: consoleHint,
    probe: async (probes, signal) => requireOk('set up the network', (await probes.health(signal)).network),
  },
  {
    stage: 'engine',
    label: 'Waiting for the engine to answer',
    deadlineMs: 60_000,
    hint: consoleHint,
    probe: async (probes, signal) => {
      requireOk('start the engine', (await probes.health(signal)).engine);
      await probes.ping(signal);
    },
  },
];

export interface Patience {
  /** Multiplies every deadline. */
  readonly factor: number;
  /** Pause between two probes. */
  readonly pauseMs: number;
}

/**
 * Waits until a stage is reached.
 * @throws AppError `deadline` with the stage's hint and the last reason, or the {@link GuestFault}.
 */
export async function reachStage(
  stage: ReadinessStage,
  probes: GuestProbes,
  patience: Patience,
  signal?: AbortSignal,
): Promise<void> {
  let last: Error | undefined;
  const probeUntilThere = async (inner: AbortSignal): Promise<void> => {
    for (;;) {
      try {
        await stage.probe(probes, inner);
        return;
      } catch (error) {
        if (error instanceof GuestFault) throw error;
        inner.throwIfAborted();
        last = error as Error;
      }
      await delay(patience.pauseMs, inner);
    }
  };
  const deadlineMs = stage.deadlineMs * patience.factor;
  try {
    await withDeadline(stage.label, deadlineMs, probeUntilThere, { signal });
  } catch (error) {
    if (error instanceof GuestFault || !(error instanceof AppError) || error.code !== 'deadline') throw error;
    const reason = last === undefined ? '' : `: ${last.message}`;
    throw new AppError('deadline', `${stage.label}: not reached within ${Math.round(deadlineMs / 1000)} s${reason}`, {
      hint: stage.hint,
      cause: error,
    });
  }
}

function requireOk(attempt: string, health: StageHealth): void {
  if (health.state === 'ok') return;
  if (health.state === 'starting') throw new AppError('unavailable', health.detail);
  throw new GuestFault('vm-failed', `${attempt}: ${health.detail}`, { hint: health.hint ?? consoleHint });
}
