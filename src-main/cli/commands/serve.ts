import { exitCodes, wholeNumber, type Command } from '../command.ts';
import { accessTo } from '../context.ts';
import { serveWindow } from '../../web/serve.ts';

export const serve: Command = {
  name: 'serve',
  usage: '[--port N] [--no-open]',
  summary: 'Serve the window to a browser on this machine, in the foreground',
  details: ['Prints "Wherry is ready: <url>". Containers go on when it ends, unless the settings say otherwise.'],
  flags: {
    port: { type: 'string', help: 'port on loopback; 0 for any free one (the default)' },
    'no-open': { type: 'boolean', help: 'only print the address' },
  },
  async run(context, { flags }) {
    const { port } = flags;
    await serveWindow({
      access: await accessTo(context, { role: 'shell', mayOwn: true }),
      shell: { version: context.version, shell: 'web', home: context.paths.root },
      folder: context.windowFolder,
      port: typeof port === 'string' ? wholeNumber(port, '--port', 65_535) : 0,
      open: flags['no-open'] !== true,
      print: (line) => context.print(context.json ? JSON.stringify({ ready: line.replace(/^[^:]*: /, '') }) : line),
      report: context.report,
      signal: context.signal,
    });
    return exitCodes.done;
  },
};
