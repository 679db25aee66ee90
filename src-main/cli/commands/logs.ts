import { consoleTail, followConsole } from '../../vm/console.ts';
import { exitCodes, UsageError, wholeNumber, type Command } from '../command.ts';

const maxTailBytes = 8 * 1024 * 1024;

export const logs: Command = {
  name: 'logs',
  usage: 'vm [-f] [-n LINES]',
  summary: "Print the guest's serial console",
  details: ['Works whether or not the VM runs. With --json each line is one JSON object.'],
  flags: {
    follow: { type: 'boolean', short: 'f', help: 'go on with what comes, until Ctrl-C' },
    lines: { type: 'string', short: 'n', help: 'only the last so many lines' },
  },
  async run(context, { words, flags }) {
    if (words.length !== 1 || words[0] !== 'vm') throw new UsageError("say which log: 'wherry logs vm'");
    const write = (line: string): void => context.print(context.json ? JSON.stringify({ line }) : line);
    const file = context.paths.vm.console;
    const { lines } = flags;
    if (flags['follow'] === true) {
      let rest = '';
      for await (const text of followConsole(file, context.signal)) {
        const complete = (rest + text).split('\n');
        rest = complete.pop() ?? '';
        for (const line of complete) write(withoutReturn(line));
      }
      return exitCodes.done;
    }
    const all = (await consoleTail(file, maxTailBytes)).split('\n').map(withoutReturn);
    if (all.at(-1) === '') all.pop();
    const wanted = typeof lines === 'string' ? wholeNumber(lines, '--lines', 1_000_000) : all.length;
    for (const line of wanted === 0 ? [] : all.slice(-wanted)) write(line);
    return exitCodes.done;
  },
};

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
