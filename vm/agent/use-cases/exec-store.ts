/** Execs: kept in memory only, as Docker does; they end with the container or the agent. */
import { EngineError } from '../../contract/errors.ts';
import type { RunningExec } from '../runtime/runtime.ts';

export interface ExecConfig {
  readonly command: readonly string[];
  /** The command is the toolbox's (the guest's busybox), not the container's. */
  readonly toolbox: boolean;
  readonly env: readonly string[];
  readonly user: string;
  readonly workingDir: string;
  readonly tty: boolean;
  readonly privileged: boolean;
  readonly attachStdin: boolean;
  readonly attachStdout: boolean;
  readonly attachStderr: boolean;
  readonly detachKeys: string;
  /** Rows, columns; zeroes when unknown. */
  readonly consoleSize: readonly [number, number];
}

export interface ExecSession {
  readonly id: string;
  readonly containerId: string;
  readonly config: ExecConfig;
  status: 'created' | 'running' | 'ended';
  exitCode: number | undefined;
  running: RunningExec | undefined;
}

/** Ended execs that are kept for inspect. */
const maxEnded = 256;

export class ExecStore {
  private readonly byId = new Map<string, ExecSession>();

  add(session: ExecSession): void {
    this.byId.set(session.id, session);
    const ended = [...this.byId.values()].filter((other) => other.status === 'ended');
    for (const old of ended.slice(0, Math.max(0, ended.length - maxEnded))) this.byId.delete(old.id);
  }

  find(id: string): ExecSession {
    const session = this.byId.get(id);
    if (session === undefined) throw new EngineError('not-found', `No such exec instance: ${id}`);
    return session;
  }

  /** Ids of those not ended, as inspect shows them; null when there are none. */
  idsOf(containerId: string): string[] | null {
    const ids = [...this.byId.values()]
      .filter((session) => session.containerId === containerId && session.status === 'running')
      .map((session) => session.id);
    return ids.length > 0 ? ids : null;
  }

  forget(id: string): void {
    this.byId.delete(id);
  }

  forgetContainer(containerId: string): void {
    for (const session of this.byId.values()) if (session.containerId === containerId) this.byId.delete(session.id);
  }
}
