import type { Command } from './command.ts';

export function generalHelp(commands: readonly Command[]): string {
  const shown = commands.filter((command) => command.hidden !== true);
  const width = Math.max(...shown.map((command) => command.name.length));
  return [
    'Usage: wherry <command> [options]',
    '',
    ...shown.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    '',
    'wherry <command> --help says more. Everything that prints takes --json.',
    'WHERRY_HOME is the folder that holds all state; two homes do not disturb each other.',
    'Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not ready (status), 130 interrupted.',
    '',
  ].join('\n');
}

export function commandHelp(command: Command): string {
  const flags: [string, string][] = Object.entries(command.flags).map(([name, flag]) => {
    const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
    return [`${short}--${name}${flag.type === 'string' ? ' VALUE' : ''}`, flag.help];
  });
  flags.push(['    --json', 'print JSON'], ['-h, --help', 'show this']);
  const width = Math.max(...flags.map(([flag]) => flag.length));
  return [
    `Usage: wherry ${command.name}${command.usage === '' ? '' : ` ${command.usage}`}`,
    '',
    `${command.summary}.`,
    ...command.details,
    '',
    ...flags.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`),
    '',
  ].join('\n');
}
