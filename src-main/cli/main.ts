/** The command line: finds the command, runs it, and ends with its code. `commands/` holds one file for each. */
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { toErrorView } from '../contract/errors.ts';
import { defaultHome, prepareHome } from '../home.ts';
import { describeError, exitCodes, UsageError, type Command, type CommandInput } from './command.ts';
import { dockerContext } from './commands/context.ts';
import { diagnose } from './commands/diagnose.ts';
import { doctor } from './commands/doctor.ts';
import { down } from './commands/down.ts';
import { host } from './commands/host.ts';
import { logs } from './commands/logs.ts';
import { reset } from './commands/reset.ts';
import { serve } from './commands/serve.ts';
import { settings } from './commands/settings.ts';
import { sleep } from './commands/sleep.ts';
import { ssh } from './commands/ssh.ts';
import { status } from './commands/status.ts';
import { up } from './commands/up.ts';
import { programPlaces, type CliContext } from './context.ts';
import { commandHelp, generalHelp } from './help.ts';

const commands: readonly Command[] = [
  up,
  sleep,
  down,
  status,
  serve,
  doctor,
  diagnose,
  ssh,
  logs,
  settings,
  dockerContext,
  reset,
  host,
];

void main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.abort());
  // `wherry … | head` closes our output early: that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.done);
    throw error;
  });
  try {
    process.exitCode = await dispatch(args, interrupt.signal);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`wherry: ${error.message}\n`);
      process.exitCode = exitCodes.usage;
    } else if (interrupt.signal.aborted) {
      process.exitCode = exitCodes.interrupted;
    } else {
      if (args.includes('--json')) process.stdout.write(`${JSON.stringify({ error: toErrorView(error) })}\n`);
      process.stderr.write(`wherry: ${describeError(error)}\n`);
      process.exitCode = exitCodes.failed;
    }
  }
}

async function dispatch(args: readonly string[], signal: AbortSignal): Promise<number> {
  const [name, ...others] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(generalHelp(commands));
    return name === undefined ? exitCodes.usage : exitCodes.done;
  }
  const script = realpathSync(path.resolve(process.argv[1] ?? ''));
  const places = programPlaces(script, process.env);
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${places.version}\n`);
    return exitCodes.done;
  }
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw new UsageError(`there is no command '${name}'. See: wherry --help`);
  const input = readInput(command, others);
  if (input.flags['help'] === true) {
    process.stdout.write(commandHelp(command));
    return exitCodes.done;
  }
  const context: CliContext = {
    ...places,
    paths: await prepareHome(defaultHome()),
    env: process.env,
    json: input.flags['json'] === true,
    print: (text) => void process.stdout.write(`${text}\n`),
    report: (text) => void process.stderr.write(`${text}\n`),
    signal,
  };
  return command.run(context, input);
}

function readInput(command: Command, args: readonly string[]): CommandInput {
  const dashes = args.indexOf('--');
  const own = dashes === -1 ? args : args.slice(0, dashes);
  const rest = dashes === -1 ? [] : args.slice(dashes + 1);
  const flags = Object.entries(command.flags).map(([name, flag]) => [
    name,
    { type: flag.type, ...(flag.short !== undefined && { short: flag.short }) },
  ]);
  const options = {
    ...(Object.fromEntries(flags) as Record<string, { type: 'boolean' | 'string'; short?: string }>),
    help: { type: 'boolean', short: 'h' },
    json: { type: 'boolean' },
  } as const;
  try {
    const parsed = parseArgs({ args: [...own], options, allowPositionals: true, strict: true });
    return { flags: parsed.values, words: parsed.positionals, rest };
  } catch (error) {
    const [reason] = (error as Error).message.split('. ');
    throw new UsageError(`${reason ?? ''}. See: wherry ${command.name} --help`);
  }
}
