import { once } from 'node:events';
import { exitCodes, type Command } from '../command.ts';
import { accessTo } from '../context.ts';

/** What `wherry up` leaves in the background: owns the home, without any window. */
export const host: Command = {
  name: 'host',
  usage: '',
  summary: 'Own the home in the foreground, without a window',
  details: ['Started by "wherry up" and ended by "wherry down". A VM that runs is left running when this ends.'],
  flags: {},
  hidden: true,
  async run(context) {
    await using access = await accessTo(context, { role: 'background', mayOwn: true });
    const transport = await access.connect(context.signal);
    transport.close();
    if (access.role !== 'owner') {
      context.report('another process holds this home');
      return exitCodes.held;
    }
    if (!context.signal.aborted) await once(context.signal, 'abort');
    return exitCodes.done;
  },
};
