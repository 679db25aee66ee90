import { exitCodes, type Command } from '../command.ts';
import { connectOrSpawnOwner } from '../owner.ts';
import { StageProgress, stderrProgress } from '../progress.ts';
import type { VmView } from '../../contract/vm.ts';
import { dockerHost } from '../../home.ts';

export const up: Command = {
  name: 'up',
  usage: '',
  summary: 'Start the VM in the background, or attach to it, and wait until it is ready',
  details: ['Each stage is shown on standard error. Running it again is harmless.'],
  flags: {},
  async run(context) {
    await using owner = await connectOrSpawnOwner(context);
    const progress = new StageProgress(stderrProgress());
    let view: VmView | undefined;
    owner.client.subscribe('vm', (value) => {
      view = value;
      progress.update(value);
    });
    try {
      await owner.client.call('vm.start', {}, context.signal);
    } finally {
      progress.end();
    }
    for (const warning of view?.warnings ?? []) context.report(`! ${warning.message}\n  ${warning.hint}`);
    if (context.json) context.print(JSON.stringify(view ?? null));
    else context.print(`Wherry is up. DOCKER_HOST=${dockerHost(context.paths.dockerSocket)}`);
    return exitCodes.done;
  },
};
