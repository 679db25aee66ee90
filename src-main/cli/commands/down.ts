import { homeHolder, type HomeHolder } from '../../acquire.ts';
import { AppError } from '../../contract/errors.ts';
import { isSameProcess } from '../../process-identity.ts';
import { delay } from '../../wait.ts';
import { exitCodes, type Command } from '../command.ts';
import { accessTo, type CliContext } from '../context.ts';
import { connectThrough, connectToOwner } from '../owner.ts';
import { StageProgress, stderrProgress } from '../progress.ts';

const ownerEndMs = 15_000;

export const down: Command = {
  name: 'down',
  usage: '',
  summary: 'Stop the VM and the background process',
  details: [
    'The guest is asked first and stops its containers; then the power button is pressed; then the VM is ended.',
    'A VM that sleeps is woken for that. An open window stays open.',
  ],
  flags: {},
  async run(context) {
    const holder = await homeHolder(context.paths.lock);
    await stopVm(context);
    if (holder?.role === 'background') await endBackground(holder);
    if (context.json) context.print(JSON.stringify({ stopped: true }));
    else context.print('Wherry is stopped.');
    return exitCodes.done;
  },
};

/** Without an owner this process owns the home for a moment: a VM may run even so. */
async function stopVm(context: CliContext): Promise<void> {
  const own = async (): ReturnType<typeof connectThrough> =>
    connectThrough(await accessTo(context, { role: 'shell', mayOwn: true, attach: false }), context.signal);
  await using owner = (await connectToOwner(context)) ?? (await own());
  const progress = new StageProgress(stderrProgress());
  owner.client.subscribe('vm', (view) => progress.update(view));
  try {
    await owner.client.call('vm.stop', {}, context.signal);
  } finally {
    progress.end();
  }
}

async function endBackground(holder: HomeHolder): Promise<void> {
  if (!(await isSameProcess(holder))) return;
  process.kill(holder.pid, 'SIGTERM');
  for (let waited = 0; waited < ownerEndMs; waited += 100) {
    if (!(await isSameProcess(holder))) return;
    await delay(100);
  }
  throw new AppError('deadline', `end the background process ${holder.pid}: it is still there`, {
    hint: `End it with: kill -9 ${holder.pid}`,
  });
}
