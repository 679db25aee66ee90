import { homeHolder } from '../../acquire.ts';
import type { VmView } from '../../contract/vm.ts';
import { GuestApi } from '../../link/guest-api.ts';
import { withDeadline } from '../../wait.ts';
import { exitCodes, type Command } from '../command.ts';
import type { CliContext } from '../context.ts';
import { asleepWords, readSaved } from '../../vm/saved-state.ts';
import { connectToGuest, runningRecord } from '../guest.ts';
import { connectToOwner } from '../owner.ts';
import { stoppingWords } from '../progress.ts';
import { dockerHost } from '../../home.ts';

const probeMs = 8000;

interface Status {
  readonly home: string;
  readonly dockerHost: string;
  /** The process that owns the home; null when none does. */
  readonly owner: { readonly pid: number; readonly role: string } | null;
  readonly ready: boolean;
  /** The owner's view; null without an owner. */
  readonly vm: VmView | null;
  /** The VM's process as found on this machine; null when there is none. */
  readonly process: { readonly pid: number; readonly sshPort: number; readonly startedAtMs: number } | null;
  /** Its state is saved on the disk. */
  readonly asleep: boolean;
  /** Whether the engine answered this command's own probe. Null when there was nothing to ask. */
  readonly engineAnswers: boolean | null;
}

export const status: Command = {
  name: 'status',
  usage: '',
  summary: 'Say what runs, as probed now',
  details: ['Ends with 0 when the engine answers, with 3 when it does not. A VM that sleeps is not woken.'],
  flags: {},
  async run(context) {
    const found = await probe(context);
    if (context.json) context.print(JSON.stringify(found));
    else context.print(describe(found).join('\n'));
    return found.ready ? exitCodes.done : exitCodes.notReady;
  },
};

async function probe(context: CliContext): Promise<Status> {
  const holder = await homeHolder(context.paths.lock);
  const vm = holder === undefined ? null : await ownersView(context);
  const record = await runningRecord(context);
  const engineAnswers = record === undefined ? null : await asks(context);
  return {
    home: context.paths.root,
    dockerHost: dockerHost(context.paths.dockerSocket),
    owner: holder === undefined ? null : { pid: holder.pid, role: holder.role },
    ready: engineAnswers === true && (vm === null || vm.state.kind === 'ready'),
    vm,
    process:
      record === undefined
        ? null
        : { pid: record.process.pid, sshPort: record.ssh.port, startedAtMs: record.startedAtMs },
    asleep: record === undefined && (await readSaved(context.paths.vm)) !== undefined,
    engineAnswers,
  };
}

async function ownersView(context: CliContext): Promise<VmView | null> {
  await using owner = await connectToOwner(context);
  const client = owner?.client;
  if (client === undefined) return null;
  return await withDeadline(
    'ask the owner',
    probeMs,
    () => new Promise<VmView>((resolve) => client.subscribe('vm', resolve)),
    {
      signal: context.signal,
    },
  );
}

async function asks(context: CliContext): Promise<boolean> {
  const ask = async (signal: AbortSignal): Promise<boolean> => {
    const session = await connectToGuest(context, signal);
    try {
      await new GuestApi({ connectEngine: (_purpose, inner) => session.openEngine(inner) }).ping(signal);
      return true;
    } finally {
      session.destroy('asked');
    }
  };
  try {
    return await withDeadline('ping the engine', probeMs, ask, { signal: context.signal });
  } catch {
    context.signal.throwIfAborted();
    return false;
  }
}

function describe(found: Status): string[] {
  const lines = [`VM:      ${describeVm(found)}`];
  if (found.vm?.backend !== undefined) {
    const { kind, accelerator, version } = found.vm.backend;
    lines.push(`Backend: ${kind} ${version}, ${accelerator}`);
  }
  lines.push(`Owner:   ${found.owner === null ? 'none' : `process ${found.owner.pid} (${found.owner.role})`}`);
  lines.push(`Home:    ${found.home}`);
  if (found.owner !== null) lines.push(`Docker:  DOCKER_HOST=${found.dockerHost}`);
  for (const warning of found.vm?.warnings ?? []) lines.push(`! ${warning.message}`, `  ${warning.hint}`);
  return lines;
}

function describeVm({ vm, process, engineAnswers, asleep }: Status): string {
  const where = process === null ? '' : ` (process ${process.pid})`;
  if (vm === null) {
    if (process === null) return asleep ? `asleep, with no Wherry attached; wake it with: wherry up` : 'stopped';
    const engine = engineAnswers === true ? 'and answers' : 'but does not answer';
    return `runs${where} ${engine}, with no Wherry attached; attach with: wherry up`;
  }
  const { state } = vm;
  switch (state.kind) {
    case 'absent':
      return process === null ? 'stopped' : `runs${where}, not attached yet`;
    case 'booting':
      return `booting: ${vm.stages.find((stage) => stage.stage === state.stage)?.label ?? state.stage}`;
    case 'ready':
      return engineAnswers === true ? `ready${where}` : `the owner says ready, but the engine does not answer${where}`;
    case 'stopping':
      return `stopping: ${stoppingWords[state.step]}`;
    case 'failed':
      return `failed: ${state.message}\n         ${state.hint}`;
    case 'sleeping':
      return state.step === 'saved' ? asleepWords : 'falling asleep';
    case 'resuming':
      return 'waking up';
  }
}
