import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { diagnosticReport } from '../../diagnostics/report.ts';
import { SettingsStore } from '../../settings/store.ts';
import { exitCodes, UsageError, type Command } from '../command.ts';
import { ownDoctor, type CliContext } from '../context.ts';
import { connectToOwner } from '../owner.ts';

export const diagnose: Command = {
  name: 'diagnose',
  usage: '[FILE]',
  summary: 'Write what a bug report needs, without passwords and keys',
  details: ['Read it before you send it on. Without FILE, or with --json, it is printed.'],
  flags: {},
  async run(context, { words }) {
    if (words.length > 1) throw new UsageError('name one file: wherry diagnose [FILE]');
    const text = await report(context);
    const [file] = words;
    if (context.json) context.print(JSON.stringify({ report: text }));
    else if (file === undefined) context.print(text);
    else {
      await writeFile(file, text, { mode: 0o600 });
      context.print(`Written to ${path.resolve(file)}.`);
    }
    return exitCodes.done;
  },
};

/** By the owner, which knows the VM's state and reaches the engine; without one, or when it does not answer, from here. */
async function report(context: CliContext): Promise<string> {
  try {
    await using owner = await connectToOwner(context);
    if (owner !== undefined) return (await owner.client.call('diagnostics.report', {}, context.signal)).text;
  } catch (error) {
    context.signal.throwIfAborted();
    context.report(`! The owner process could not be asked: ${(error as Error).message}`);
  }
  const { paths, version, signal } = context;
  const settings = await SettingsStore.open(paths);
  const sources = { version, paths, settings: settings.current, vm: undefined, link: undefined };
  return diagnosticReport({ ...sources, doctor: ownDoctor(context, settings) }, signal);
}
