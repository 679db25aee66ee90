/** The settings file's shape, its defaults for this machine and its bounds. */
import { z } from 'zod';
import { AppError } from '../contract/errors.ts';
import {
  defaultNetwork,
  defaultTerminal,
  longestSleepAfterMinutes,
  type NetworkSettings,
  type Settings,
  type TerminalSettings,
} from '../contract/vm.ts';
import { checkTerminal, terminalSchema } from './terminal.ts';
import { checkNetwork, networkSchema } from './network.ts';

/** What the bounds depend on. */
export interface HostResources {
  readonly cores: number;
  readonly memoryMiB: number;
}

const settingsSchema = z.object({
  vm: z.object({
    cpus: z.number(),
    memoryMiB: z.number(),
    diskGiB: z.number(),
    accelerator: z.enum(['auto', 'hvf', 'whpx', 'kvm', 'tcg']),
    backend: z.enum(['auto', 'qemu', 'hyperv']),
  }),
  network: networkSchema,
  appearance: z.object({ theme: z.enum(['system', 'light', 'dark']) }),
  terminal: terminalSchema,
  desktop: z.object({ onClose: z.enum(['hide', 'quit']), startAtLogin: z.boolean(), notifications: z.boolean() }),
  onQuit: z.enum(['leave-running', 'sleep', 'stop']),
  sleepAfterMinutes: z.number(),
});

/** A quarter of the memory between 1 and 8 GiB; up to four cores; a sparse disk that costs nothing until used. */
export function defaultSettings(host: HostResources, platform: NodeJS.Platform = process.platform): Settings {
  const quarter = Math.floor(host.memoryMiB / 4 / 256) * 256;
  return {
    vm: {
      cpus: Math.max(1, Math.min(host.cores, 4)),
      memoryMiB: Math.min(8192, Math.max(1024, quarter)),
      diskGiB: 64,
      accelerator: 'auto',
      backend: 'auto',
    },
    network: defaultNetwork,
    appearance: { theme: 'system' },
    terminal: defaultTerminal,
    // Not every Linux desktop shows a tray, and without one a hidden window is only had back by starting Wherry again.
    desktop: { onClose: platform === 'linux' ? 'quit' : 'hide', startAtLogin: false, notifications: true },
    onQuit: 'leave-running',
    sleepAfterMinutes: 5,
  };
}

const smallestMemoryMiB = 512;
const smallestDiskGiB = 4;
const largestDiskGiB = 2048;

/** @throws AppError `invalid-input` naming the field, the value and its bounds. */
export function checkSettings(settings: Settings, host: HostResources): Settings {
  const parsed = settingsSchema.safeParse(settings);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new AppError(
      'invalid-input',
      `change settings: ${issue?.path.join('.') ?? 'value'}: ${issue?.message ?? ''}`,
    );
  }
  const { vm } = parsed.data;
  const mostMemoryMiB = Math.max(smallestMemoryMiB, host.memoryMiB - 512);
  checkWhole('vm.cpus', vm.cpus, 1, host.cores, `this machine has ${host.cores}`);
  checkWhole('vm.memoryMiB', vm.memoryMiB, smallestMemoryMiB, mostMemoryMiB, `this machine has ${host.memoryMiB} MiB`);
  checkWhole(
    'vm.diskGiB',
    vm.diskGiB,
    smallestDiskGiB,
    largestDiskGiB,
    'the disk is sparse: it takes only what is used',
  );
  const { network, terminal, sleepAfterMinutes } = parsed.data;
  checkWhole('sleepAfterMinutes', sleepAfterMinutes, 0, longestSleepAfterMinutes, '0 means never');
  return { ...parsed.data, network: checkNetwork(network), terminal: checkTerminal(terminal) };
}

/**
 * The file's content over the defaults: a missing field takes its default, an unreadable file all of them. Numbers out of
 * bounds are moved inside: the machine may have changed since they were written.
 */
export function readSettings(text: string | undefined, host: HostResources): Settings {
  const defaults = defaultSettings(host);
  const stored = storedSchema.safeParse(parseJson(text));
  if (!stored.success) return defaults;
  const vm = { ...defaults.vm, ...withoutUndefined(stored.data.vm ?? {}) };
  return {
    vm: {
      ...vm,
      cpus: clampWhole(vm.cpus, 1, host.cores),
      memoryMiB: clampWhole(vm.memoryMiB, smallestMemoryMiB, Math.max(smallestMemoryMiB, host.memoryMiB - 512)),
      diskGiB: clampWhole(vm.diskGiB, smallestDiskGiB, largestDiskGiB),
    },
    network: readNetwork({ ...defaults.network, ...withoutUndefined(stored.data.network ?? {}) }),
    appearance: { ...defaults.appearance, ...withoutUndefined(stored.data.appearance ?? {}) },
    terminal: readTerminal({ ...defaults.terminal, ...withoutUndefined(stored.data.terminal ?? {}) }),
    desktop: { ...defaults.desktop, ...withoutUndefined(stored.data.desktop ?? {}) },
    onQuit: stored.data.onQuit ?? defaults.onQuit,
    sleepAfterMinutes: clampWhole(
      stored.data.sleepAfterMinutes ?? defaults.sleepAfterMinutes,
      0,
      longestSleepAfterMinutes,
    ),
  };
}

/** One wrong entry, and none of them is used: the VM must start. */
function readNetwork(stored: NetworkSettings): NetworkSettings {
  try {
    return checkNetwork(stored);
  } catch {
    return defaultNetwork;
  }
}

function readTerminal(stored: TerminalSettings): TerminalSettings {
  try {
    return checkTerminal(stored);
  } catch {
    return defaultTerminal;
  }
}

const storedSchema = z.object({
  network: networkSchema.partial().optional(),
  vm: settingsSchema.shape.vm.partial().optional(),
  appearance: settingsSchema.shape.appearance.partial().optional(),
  terminal: terminalSchema.partial().optional(),
  desktop: settingsSchema.shape.desktop.partial().optional(),
  onQuit: settingsSchema.shape.onQuit.optional(),
  sleepAfterMinutes: settingsSchema.shape.sleepAfterMinutes.optional(),
});

function checkWhole(field: string, value: number, least: number, most: number, because: string): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new AppError(
    'invalid-input',
    `change settings: ${field} must be a whole number from ${least} to ${most}, not ${value}`,
    {
      hint: because,
    },
  );
}

function clampWhole(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.round(value)));
}

function withoutUndefined<T extends object>(values: T): { [K in keyof T]-?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]-?: Exclude<T[K], undefined> };
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
