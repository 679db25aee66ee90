import type { DoctorCheck } from '../../contract/vm.ts';
import { SettingsStore } from '../../settings/store.ts';
import { exitCodes, type Command } from '../command.ts';
import { ownDoctor, type CliContext } from '../context.ts';
import { connectToOwner } from '../owner.ts';

const marks: Readonly<Record<DoctorCheck['state'], string>> = { ok: '✓', warning: '!', failed: '✗', skipped: '-' };

export const doctor: Command = {
  name: 'doctor',
  usage: '',
  summary: 'Probe every stage between you and a container, and name the broken one',
  details: ['Ends with 1 when a stage is broken.'],
  flags: {},
  async run(context) {
    const checks = await runChecks(context);
    if (context.json) context.print(JSON.stringify(checks));
    else for (const line of describe(checks)) context.print(line);
    return checks.some((check) => check.state === 'failed') ? exitCodes.failed : exitCodes.done;
  },
};

/** By the owner, which holds the VM's monitor; without one, or when it does not answer, from here. */
async function runChecks(context: CliContext): Promise<readonly DoctorCheck[]> {
  try {
    await using owner = await connectToOwner(context);
    if (owner !== undefined) return await owner.client.call('diagnostics.doctor', {}, context.signal);
  } catch (error) {
    context.signal.throwIfAborted();
    context.report(`! The owner process could not be asked: ${(error as Error).message}`);
  }
  return ownDoctor(context, await SettingsStore.open(context.paths)).run(context.signal);
}

function describe(checks: readonly DoctorCheck[]): string[] {
  const width = Math.max(...checks.map((check) => check.name.length));
  const lines = checks.flatMap((check) => [
    `${marks[check.state]} ${check.name.padEnd(width)}  ${check.detail}`,
    ...(check.remedy === undefined ? [] : [`  ${' '.repeat(width)}  → ${check.remedy}`]),
  ]);
  const broken = checks.find((check) => check.state === 'failed');
  lines.push('', broken === undefined ? 'No stage is broken.' : `Broken: ${broken.name}.`);
  return lines;
}
