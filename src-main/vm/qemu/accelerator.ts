/**
 * Picks the accelerator by trying: the guest's own kernel is booted for a moment, and must say its first words. A device
 * that is present proves nothing: KVM has been seen to abort QEMU, and to run firmware but hang in the kernel.
 */
import { spawn } from 'node:child_process';
import { z } from 'zod';
import { AppError } from '../../contract/errors.ts';
import type { Accelerator } from '../../contract/vm.ts';
import { readIfThere, writeDurably } from '../../durable-file.ts';
import { raceAbort, withDeadline } from '../../wait.ts';
import type { Warning } from '../backend.ts';
import { acceleratorOption, cpuModel, machineType } from './arguments.ts';

const probeDeadlineMs = 8000;
const outputLimit = 64 * 1024;

export interface AcceleratorChoice {
  readonly accelerator: Accelerator;
  readonly warnings: readonly Warning[];
}

/** Resolves when the accelerator works; rejects with the reason when it does not. */
export type TryAccelerator = (accelerator: Accelerator, signal?: AbortSignal) => Promise<void>;

/**
 * The first of `candidates` that works. `tcg` is taken untried: it is part of QEMU.
 * @throws AppError `unsupported` when none works, with every reason.
 */
export async function chooseAccelerator(
  candidates: readonly Accelerator[],
  attempt: TryAccelerator,
  signal?: AbortSignal,
): Promise<AcceleratorChoice> {
  const warnings: Warning[] = [];
  for (const accelerator of candidates) {
    if (accelerator === 'tcg') return { accelerator, warnings: warnings.map(emulated) };
    try {
      await attempt(accelerator, signal);
      return { accelerator, warnings };
    } catch (error) {
      signal?.throwIfAborted();
      warnings.push({
        message: `Hardware acceleration (${accelerator}) does not work here: ${(error as Error).message}`,
        hint: remedies[accelerator],
      });
    }
  }
  throw new AppError('unsupported', warnings.map((warning) => warning.message).join('; '), {
    hint: "Set the accelerator to 'auto', which falls back to emulation.",
  });
}

/** What it means comes first: a window may have room for one line. */
function emulated({ message, hint }: Warning): Warning {
  return { message: `The VM is emulated, which is slow. ${message}`, hint };
}

const remedies: Readonly<Record<Accelerator, string>> = {
  kvm: 'Switch virtualisation on in the firmware, and make /dev/kvm usable for you: sudo usermod -aG kvm $USER.',
  hvf: 'Update macOS, and install a QEMU made for this Mac: brew reinstall qemu.',
  whpx: "Switch on the Windows feature 'Windows Hypervisor Platform' and restart.",
  tcg: '',
};

export interface ProbeProgram {
  readonly system: string;
  readonly architecture: 'amd64' | 'arm64';
  readonly kernel: string;
}

/** Boots the kernel without a root and waits for its first line on the serial port. */
export function probeWithKernel(program: ProbeProgram): TryAccelerator {
  const console = program.architecture === 'amd64' ? 'ttyS0' : 'ttyAMA0';
  const early = program.architecture === 'amd64' ? 'earlyprintk=ttyS0' : 'earlycon';
  return async (accelerator, signal) => {
    const child = spawn(
      program.system,
      [
        ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
        ...['-machine', machineType(program.architecture), '-accel', acceleratorOption(accelerator)],
        ...['-cpu', cpuModel(accelerator, program.architecture), '-m', '256M', '-serial', 'stdio'],
        ...['-kernel', program.kernel, '-append', `console=${console} ${early} panic=-1`],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true },
    );
    let errors = '';
    const spoke = new Promise<void>((resolve, reject) => {
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-outputLimit);
        // Memory is mapped and time runs by then; a hang before it has been seen under KVM.
        if (output.includes('Calibrating delay loop') || output.includes('Kernel panic')) resolve();
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        errors = (errors + text).slice(-outputLimit);
      });
      child.on('error', reject);
      child.on('close', (code, killed) => {
        reject(new Error(firstProblem(errors) ?? `QEMU ended with ${killed ?? `code ${code ?? 0}`}`));
      });
    });
    const gone = new Promise<void>((resolve) => {
      child.on('exit', () => resolve());
      child.on('error', () => resolve());
    });
    try {
      await withDeadline('boot the kernel for a moment', probeDeadlineMs, (inner) => raceAbort(spoke, inner), {
        signal,
      });
    } finally {
      child.kill('SIGKILL');
      await gone;
      child.stdout.destroy();
      child.stderr.destroy();
    }
  };
}

/** QEMU's first complaint, without the program's name. */
function firstProblem(errors: string): string | undefined {
  const line = errors.split('\n').find((text) => text.trim() !== '' && !text.includes('warning:'));
  return line?.replace(/^\S*qemu-system-\S+: /, '').trim();
}

const cacheSchema = z.object({
  key: z.string(),
  accelerator: z.enum(['hvf', 'whpx', 'kvm', 'tcg']),
  warnings: z.array(z.object({ message: z.string(), hint: z.string() })),
});

/** Remembers a choice in a file for as long as `key` (QEMU, kernel, wish, host boot) stays the same. */
export async function rememberChoice(
  file: string,
  key: string,
  choose: () => Promise<AcceleratorChoice>,
): Promise<AcceleratorChoice> {
  const text = await readIfThere(file);
  if (text !== undefined) {
    const known = cacheSchema.safeParse(safeJson(text));
    if (known.success && known.data.key === key) return known.data;
  }
  const choice = await choose();
  await writeDurably(file, JSON.stringify({ key, ...choice }));
  return choice;
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A damaged cache is as good as none.
    return undefined;
  }
}
