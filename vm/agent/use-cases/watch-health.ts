/**
 * Probes a running container by its health check, as long as it runs and is not paused. The state is in memory and reaches the
 * record when it changes and at the end, so that a probe costs no write.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { rfc3339Now } from '../clock.ts';
import { errorText, log } from '../log.ts';
import type { ContainerRecord, Health, HealthResult } from '../state/container-record.ts';
import { createExec, runExec } from './exec-container.ts';
import type { ExecSession } from './exec-store.ts';
import { delayBeforeProbe, healthAfter, healthAtStart, probeOf } from './health-rules.ts';
import type { Probe } from './health-rules.ts';
import { publishContainerEvent } from './parts.ts';
import type { Parts } from './parts.ts';
import { ProbeOutput } from './probe-output.ts';

const killed = 9;
/** Exit code of a probe that gave none: it could not be started, or took too long. */
const noExitCode = -1;

/** What the record holds from a start on; undefined without a check. */
export function initialHealth(record: ContainerRecord): Health | undefined {
  return probeOf(record.config) === undefined ? undefined : healthAtStart(record.health);
}

/** The newest state; undefined without a check. */
export function healthOf(parts: Pick<Parts, 'live'>, record: ContainerRecord): Health | undefined {
  return parts.live.of(record.id).health?.current ?? record.health;
}

/** Begins with the state on record. The container runs; `stopHealth` ends it. */
export function watchHealth(parts: Parts, record: ContainerRecord): void {
  const probe = probeOf(record.config);
  const live = parts.live.of(record.id);
  if (probe === undefined || record.state.status !== 'running') return;
  live.health?.stop();
  const aborter = new AbortController();
  const watch = { current: record.health ?? healthAtStart(undefined), stop: () => aborter.abort() };
  live.health = watch;
  watchUntil(parts, record, probe, watch, aborter.signal).catch((error: unknown) => {
    if (!aborter.signal.aborted) log.warn(`health check of ${record.name}: ${errorText(error)}`);
  });
}

/**
 * The state to be recorded of a container that is not probed any more; undefined when it was not. As with Docker it is
 * unhealthy, without an event.
 */
export function stopHealth(parts: Pick<Parts, 'live'>, id: string): Health | undefined {
  const live = parts.live.of(id);
  const { health } = live;
  health?.stop();
  live.health = undefined;
  return health === undefined ? undefined : { ...health.current, Status: 'unhealthy' };
}

async function watchUntil(
  parts: Parts,
  { id, state }: ContainerRecord,
  probe: Probe,
  watch: { current: Health },
  signal: AbortSignal,
): Promise<void> {
  const startedMs = Date.parse(state.startedAt);
  for (;;) {
    await sleep(delayBeforeProbe(probe, watch.current, Date.now() - startedMs), undefined, { signal });
    const ranMs = Date.now() - startedMs;
    const result = await runProbe(parts, id, probe, signal);
    // The container ended or was paused meanwhile: that is no result of the check.
    if (signal.aborted) return;
    const before = watch.current;
    watch.current = healthAfter(probe, before, result, ranMs);
    if (watch.current.Status === before.Status) continue;
    const changed = parts.store.update(id, { health: watch.current });
    publishContainerEvent(parts, changed, `health_status: ${watch.current.Status}`);
  }
}

async function runProbe(parts: Parts, id: string, probe: Probe, signal: AbortSignal): Promise<HealthResult> {
  const Start = rfc3339Now();
  const session = openSession(parts, id, probe);
  try {
    const { ExitCode, Output } = await runSession(parts, session, probe.timeoutMs, signal);
    return { Start, End: rfc3339Now(), ExitCode, Output };
  } catch (error) {
    return { Start, End: rfc3339Now(), ExitCode: noExitCode, Output: errorText(error) };
  } finally {
    // Nobody asks for it, and one a second would push out those that people ran.
    parts.execs.forget(session.id);
  }
}

function openSession(parts: Parts, id: string, { command }: Probe): ExecSession {
  const execId = createExec(parts, id, {
    command,
    toolbox: false,
    env: [],
    user: '',
    workingDir: '',
    tty: false,
    privileged: false,
    attachStdin: false,
    attachStdout: true,
    attachStderr: true,
    detachKeys: '',
    consoleSize: [0, 0],
  });
  return parts.execs.find(execId);
}

/** Ends with the program, which is killed when its time is over or nobody waits for it any more. */
async function runSession(
  parts: Parts,
  session: ExecSession,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Pick<HealthResult, 'ExitCode' | 'Output'>> {
  const { exec, ended } = await runExec(parts, session);
  const output = new ProbeOutput();
  const read = new Promise<void>((resolve) => {
    exec.stream.on('data', (chunk: Buffer) => output.push(chunk));
    for (const event of ['end', 'error', 'close']) exec.stream.on(event, () => resolve());
  });
  const late = AbortSignal.timeout(timeoutMs);
  const enough = AbortSignal.any([late, signal]);
  const kill = (): void => exec.kill(killed);
  enough.addEventListener('abort', kill);
  if (enough.aborted) kill();
  await Promise.all([ended, read]);
  enough.removeEventListener('abort', kill);
  const text = output.toString();
  if (!late.aborted) return { ExitCode: session.exitCode ?? noExitCode, Output: text };
  const words = `Health check exceeded timeout (${goDuration(timeoutMs)})`;
  return { ExitCode: noExitCode, Output: text === '' ? words : `${words}: ${text}` };
}

/** As Go prints it: `1m30s`, `1.5s`, `250ms`. */
function goDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const seconds = ms / 1000;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = `${Number((seconds % 60).toFixed(3))}s`;
  return hours > 0 ? `${hours}h${minutes}m${rest}` : minutes > 0 ? `${minutes}m${rest}` : rest;
}
