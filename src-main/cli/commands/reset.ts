import { exitCodes, UsageError, type Command } from '../command.ts';
import { connectOrSpawnOwner } from '../owner.ts';
import { StageProgress, stderrProgress } from '../progress.ts';

export const reset: Command = {
  name: 'reset',
  usage: '--yes',
  summary: 'Remove all images, containers and volumes, and start with an empty disk',
  details: ['There is no way back. Settings and keys stay.'],
  flags: { yes: { type: 'boolean', help: 'you mean it' } },
  async run(context, { flags }) {
    if (flags['yes'] !== true) {
      throw new UsageError(
        'this removes all images, containers and volumes for good. If you mean it: wherry reset --yes',
      );
    }
    await using owner = await connectOrSpawnOwner(context);
    const progress = new StageProgress(stderrProgress());
    owner.client.subscribe('vm', (view) => progress.update(view));
    try {
      await owner.client.call('vm.reset', {}, context.signal);
    } finally {
      progress.end();
    }
    if (context.json) context.print(JSON.stringify({ reset: true }));
    else context.print('Wherry has started with an empty disk.');
    return exitCodes.done;
  },
};
