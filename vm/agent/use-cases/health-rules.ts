/** Docker's rules for health checks: what is run when, and what a result does to the state. Pure. */
import { EngineError } from '../../contract/errors.ts';
import type { ContainerConfig, Health, Healthcheck, HealthResult } from '../state/container-record.ts';

/** What a container's check comes to, defaults filled in. */
export interface Probe {
  readonly command: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in this time after the start do not count until the first success. */
  readonly startPeriodMs: number;
  /** The interval in that time. */
  readonly startIntervalMs: number;
  readonly retries: number;
}

const nanosecondsPerMs = 1e6;
const defaultShell = ['/bin/sh', '-c'];
const defaults = { intervalMs: 30_000, timeoutMs: 30_000, startIntervalMs: 5000, retries: 3 };
/** Results that inspect shows. */
const maxResults = 5;
const minimumMs = 1;
/** Longer ones run at once. */
const maxTimerMs = 2 ** 31 - 1;

const durations = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const;

/** Undefined: nothing is to be checked (`NONE`, no check, an unknown kind of it). */
export function probeOf({ Healthcheck, Shell }: Pick<ContainerConfig, 'Healthcheck' | 'Shell'>): Probe | undefined {
  const [kind, ...words] = Healthcheck?.Test ?? [];
  if (Healthcheck === undefined || (kind !== 'CMD' && kind !== 'CMD-SHELL')) return undefined;
  const shell = Shell === undefined || Shell.length === 0 ? defaultShell : Shell;
  const { Retries = 0 } = Healthcheck;
  return {
    command: kind === 'CMD' ? words : [...shell, ...words],
    intervalMs: inMs(Healthcheck.Interval, defaults.intervalMs),
    timeoutMs: inMs(Healthcheck.Timeout, defaults.timeoutMs),
    startPeriodMs: inMs(Healthcheck.StartPeriod, 0),
    startIntervalMs: inMs(Healthcheck.StartInterval, defaults.startIntervalMs),
    retries: Retries > 0 ? Retries : defaults.retries,
  };
}

/** The wait before the next probe of a container that has run this long. */
export function delayBeforeProbe(probe: Probe, health: Health, ranMs: number): number {
  return health.Status === 'starting' && ranMs < probe.startPeriodMs ? probe.startIntervalMs : probe.intervalMs;
}

/** The state after a probe that was begun when the container had run this long. */
export function healthAfter(probe: Probe, before: Health, result: HealthResult, ranMs: number): Health {
  const Log = [...before.Log, result].slice(-maxResults);
  if (result.ExitCode === 0) return { Status: 'healthy', FailingStreak: 0, Log };
  if (before.Status === 'starting' && ranMs < probe.startPeriodMs) return { ...before, Log };
  const FailingStreak = before.FailingStreak + 1;
  return { Status: FailingStreak >= probe.retries ? 'unhealthy' : before.Status, FailingStreak, Log };
}

/** At a start: the last results stay to be read. */
export function healthAtStart(before: Health | undefined): Health {
  return { Status: 'starting', FailingStreak: 0, Log: before?.Log ?? [] };
}

/** What was not given with the container comes from its image. `image` is the image's own word, so not to be trusted. */
export function mergeHealthcheck(given: Healthcheck | undefined, image: unknown): Healthcheck | undefined {
  const inherited = isHealthcheck(image) ? image : undefined;
  if (given === undefined || inherited === undefined) return given ?? inherited;
  const chosen = Object.entries(given).filter(([, value]) => value !== 0 && !(Array.isArray(value) && !value.length));
  return { ...inherited, ...Object.fromEntries(chosen) };
}

/** Refuses, in Docker's words, times below a millisecond and negative counts. */
export function checkHealthcheck(healthcheck: Healthcheck | undefined): void {
  for (const name of durations) {
    const value = healthcheck?.[name] ?? 0;
    if (value !== 0 && value < minimumMs * nanosecondsPerMs) {
      throw new EngineError('invalid-parameter', `${name} in Healthcheck cannot be less than 1ms`);
    }
  }
  if ((healthcheck?.Retries ?? 0) < 0) {
    throw new EngineError('invalid-parameter', 'Retries in Healthcheck cannot be negative');
  }
}

function isHealthcheck(value: unknown): value is Healthcheck {
  if (typeof value !== 'object' || value === null) return false;
  const { Test, ...numbers } = value as Record<string, unknown>;
  return (
    (Test === undefined || (Array.isArray(Test) && Test.every((word) => typeof word === 'string'))) &&
    [...durations, 'Retries'].every((name) => ['undefined', 'number'].includes(typeof numbers[name]))
  );
}

function inMs(nanoseconds: number | undefined, otherwise: number): number {
  return nanoseconds === undefined || nanoseconds === 0
    ? otherwise
    : Math.min(nanoseconds / nanosecondsPerMs, maxTimerMs);
}
