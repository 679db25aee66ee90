/** `GET /containers/:id/top`: the container's processes, from the guest's /proc, in the words of `ps -ef`. */
import { readFile } from 'node:fs/promises';
import { EngineError } from '../../contract/errors.ts';
import { idRangeOf } from '../state/container-store.ts';
import type { Parts } from './parts.ts';

export interface TopResult {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[];
}

interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly uid: number;
  readonly cpuSeconds: number;
  readonly startedAtMs: number;
  readonly terminal: string;
  readonly command: string;
  readonly name: string;
  readonly state: string;
  readonly threads: number;
  readonly virtualKiB: number;
  readonly residentKiB: number;
}

/** Linux counts in hundredths of a second for user space, on all architectures we run on. */
const ticksPerSecond = 100;
const pageKiB = 4;

type Column = (facts: ProcessFacts, nowMs: number) => string;

const columns: Readonly<Record<string, Column>> = {
  UID: (facts) => (facts.uid === 0 ? 'root' : String(facts.uid)),
  USER: (facts) => (facts.uid === 0 ? 'root' : String(facts.uid)),
  PID: (facts) => String(facts.pid),
  PPID: (facts) => String(facts.parent),
  C: (facts, nowMs) => String(Math.floor(cpuPercent(facts, nowMs))),
  '%CPU': (facts, nowMs) => cpuPercent(facts, nowMs).toFixed(1),
  STIME: (facts, nowMs) => startTime(facts.startedAtMs, nowMs),
  START: (facts, nowMs) => startTime(facts.startedAtMs, nowMs),
  TTY: (facts) => facts.terminal,
  TIME: (facts) => clockTime(facts.cpuSeconds),
  CMD: (facts) => facts.command,
  COMMAND: (facts) => facts.command,
  COMM: (facts) => facts.name,
  STAT: (facts) => facts.state,
  NLWP: (facts) => String(facts.threads),
  VSZ: (facts) => String(facts.virtualKiB),
  RSS: (facts) => String(facts.residentKiB),
};

const fullFormat = ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'];
const userFormat = ['USER', 'PID', '%CPU', 'VSZ', 'RSS', 'TTY', 'STAT', 'START', 'TIME', 'COMMAND'];

/** Throws `conflict` when the container does not run; `invalid-parameter` for `ps` arguments that are not understood. */
export async function topContainer(parts: Parts, reference: string, psArgs: string): Promise<TopResult> {
  const record = parts.store.find(reference);
  const { running } = parts.live.of(record.id);
  if (running === undefined) throw new EngineError('conflict', `container ${record.id} is not running`);
  const titles = chooseColumns(psArgs);
  const bootMs = await bootTimeMs();
  const base = idRangeOf(record)?.base ?? 0;
  const facts = await Promise.all((await running.pids()).map((pid) => readProcess(pid, bootMs, base)));
  const nowMs = Date.now();
  return {
    Titles: titles,
    Processes: facts
      .filter((process) => process !== undefined)
      .map((process) => titles.map((title) => columns[title]?.(process, nowMs) ?? '')),
  };
}

/** `-ef`, `aux`, `-o pid,comm`. */
function chooseColumns(psArgs: string): string[] {
  const words = psArgs.trim();
  const custom = /^-?[a-zA-Z]*o\s*(.+)$/.exec(words)?.[1];
  if (custom !== undefined) {
    const names = custom.split(/[\s,]+/).map((name) => name.toUpperCase().replace(/^(ARGS|CMD)$/, 'CMD'));
    const unknown = names.find((name) => !(name in columns));
    if (unknown === undefined) return names;
    throw new EngineError('invalid-parameter', `ps: unknown column: ${unknown.toLowerCase()}`);
  }
  if (/^a?u?x?u?$/.test(words) && words.includes('u')) return userFormat;
  if (words === '' || /^-?[aeAfFlwx]+$/.test(words)) return fullFormat;
  throw new EngineError('invalid-parameter', `ps: arguments not understood: ${words}`);
}

async function readProcess(pid: number, bootMs: number, idBase: number): Promise<ProcessFacts | undefined> {
  try {
    const [stat, status, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'latin1'),
      readFile(`/proc/${pid}/status`, 'latin1'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // The name in parentheses may hold anything.
    const close = stat.lastIndexOf(')');
    const name = stat.slice(stat.indexOf('(') + 1, close);
    const fields = stat.slice(close + 2).split(' ');
    const number = (index: number): number => Number(fields[index - 3] ?? 0);
    const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    const command = commandLine.replace(/\0+$/, '').split('\0').join(' ');
    return {
      pid,
      parent: number(4),
      uid: uid >= idBase && uid < idBase + 65536 ? uid - idBase : uid,
      cpuSeconds: (number(14) + number(15)) / ticksPerSecond,
      startedAtMs: bootMs + (number(22) * 1000) / ticksPerSecond,
      terminal: terminalName(number(7)),
      command: command === '' ? `[${name}]` : command,
      name,
      state: fields[0] ?? '?',
      threads: number(20),
      virtualKiB: Math.round(number(23) / 1024),
      residentKiB: number(24) * pageKiB,
    };
  } catch (error) {
    // It has just ended.
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

async function bootTimeMs(): Promise<number> {
  return Number(/^btime (\d+)$/m.exec(await readFile('/proc/stat', 'latin1'))?.[1] ?? 0) * 1000;
}

function terminalName(device: number): string {
  if (device === 0) return '?';
  const major = (device >>> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  return major >= 136 && major <= 143 ? `pts/${(major - 136) * 256 + minor}` : '?';
}

function cpuPercent(facts: ProcessFacts, nowMs: number): number {
  return (facts.cpuSeconds * 100_000) / Math.max(1000, nowMs - facts.startedAtMs);
}

function startTime(startedAtMs: number, nowMs: number): string {
  const text = new Date(startedAtMs).toISOString();
  return nowMs - startedAtMs < 24 * 3600 * 1000 ? text.slice(11, 16) : text.slice(5, 10);
}

function clockTime(seconds: number): string {
  const whole = Math.floor(seconds);
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `${pad(Math.floor(whole / 3600))}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}`;
}
