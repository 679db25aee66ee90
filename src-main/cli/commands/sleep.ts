import { homeHolder } from '../../acquire.ts';
import { AppError } from '../../contract/errors.ts';
import { readSaved } from '../../vm/saved-state.ts';
import { exitCodes, type Command } from '../command.ts';
import type { CliContext } from '../context.ts';
import { runningRecord } from '../guest.ts';
import { connectOrSpawnOwner } from '../owner.ts';
import { StageProgress, stderrProgress } from '../progress.ts';

export const sleep: Command = {
  name: 'sleep',
  usage: '',
  summary: 'Save the VM with all it runs to the disk, and end its process',
  details: [
    'Nothing in it is stopped. Any docker command or client of a published port wakes it in about a second, and so does "wherry up".',
    'Refused while images are pulled, pushed or built, or files copied.',
  ],
  flags: {},
  async run(context) {
    await fallAsleep(context);
    if (context.json) context.print(JSON.stringify({ asleep: true }));
    else context.print('The VM is asleep.');
    return exitCodes.done;
  },
};

/** A VM that runs without an owner gets one: somebody must serve the docker socket and the ports that wake it. */
async function fallAsleep(context: CliContext): Promise<void> {
  const hasOwner = (await homeHolder(context.paths.lock)) !== undefined;
  const runs = (await runningRecord(context)) !== undefined;
  if (!hasOwner && !runs) {
    if ((await readSaved(context.paths.vm)) !== undefined) return;
    throw new AppError('vm-absent', 'put the VM to sleep: it is not running', { hint: 'Start it with: wherry up' });
  }
  await using owner = await connectOrSpawnOwner(context);
  const progress = new StageProgress(stderrProgress());
  owner.client.subscribe('vm', (view) => {
    // How it once started is no news.
    if (view.state.kind !== 'ready') progress.update(view);
  });
  try {
    if (!hasOwner) await owner.client.call('vm.start', {}, context.signal); // attaches
    await owner.client.call('vm.sleep', {}, context.signal);
  } finally {
    progress.end();
  }
}
