import { lockHome } from '../../acquire.ts';
import type { Settings } from '../../contract/vm.ts';
import { SettingsStore } from '../../settings/store.ts';
import { exitCodes, UsageError, type Command } from '../command.ts';
import type { CliContext } from '../context.ts';
import { connectToOwner } from '../owner.ts';

export const settings: Command = {
  name: 'settings',
  usage: '[FIELD=VALUE …]',
  summary: 'Print the settings, or change some',
  details: [
    'Fields: vm.cpus, vm.memoryMiB, vm.diskGiB (it only grows), vm.accelerator (auto, hvf, whpx, kvm, tcg),',
    'vm.backend (auto, qemu, hyperv), network.proxy (system, none, manual), network.httpProxy, network.httpsProxy,',
    'network.noProxy, network.insecureRegistries and network.registryMirrors (HOST:PORT,…), network.certificates (PEM),',
    'network.addressPools (10.10.0.0/16:24,…: where networks get /24 subnets from),',
    'appearance.theme (system, light, dark), terminal.fontFamily, terminal.fontSize (pixels), terminal.theme (window,',
    'light, dark, black); of the desktop app: desktop.onClose (hide, quit), desktop.startAtLogin (true, false),',
    'desktop.notifications (true, false), onQuit (leave-running, sleep, stop).',
    'sleepAfterMinutes: without a running container, a terminal or a docker client (0: never).',
  ],
  flags: {},
  async run(context, { words }) {
    const changes = words.map(parseChange);
    const result = await change(context, changes);
    if (context.json) context.print(JSON.stringify(result));
    else {
      for (const [field, value] of flatten(result.settings)) context.print(`${field}=${value}`);
      if (result.needsRestart.length > 0) {
        context.report(`Takes effect when the VM is started next: ${result.needsRestart.join(', ')}`);
      }
    }
    return exitCodes.done;
  },
};

type Change = readonly [field: string, value: string];

async function change(context: CliContext, changes: readonly Change[]) {
  await using owner = await connectToOwner(context);
  if (owner !== undefined) {
    const before = await owner.client.call('settings.get', {}, context.signal);
    if (changes.length === 0) return { settings: before, needsRestart: [] };
    const next = apply(before, changes);
    const { needsRestart } = await owner.client.call('settings.set', { settings: next }, context.signal);
    return { settings: next, needsRestart };
  }
  if (changes.length === 0) {
    return { settings: (await SettingsStore.open(context.paths)).current, needsRestart: [] };
  }
  await using _lock = await lockHome(context.paths.lock, 'shell');
  const store = await SettingsStore.open(context.paths);
  await store.set(apply(store.current, changes));
  return { settings: store.current, needsRestart: [] };
}

function parseChange(word: string): Change {
  const equals = word.indexOf('=');
  if (equals < 1) throw new UsageError(`'${word}' is not FIELD=VALUE. See: wherry settings --help`);
  return [word.slice(0, equals), word.slice(equals + 1)];
}

/** Only fields there are; the bounds are checked by the store. */
export function apply(before: Settings, changes: readonly Change[]): Settings {
  const next = structuredClone(before) as unknown as Record<string, unknown>;
  for (const [field, value] of changes) {
    const [first = '', second, ...more] = field.split('.');
    const group = second === undefined ? next : (next[first] as Record<string, unknown> | undefined);
    const name = second ?? first;
    const present = group?.[name];
    if (
      more.length > 0 ||
      group === undefined ||
      present === undefined ||
      (typeof present === 'object' && !Array.isArray(present))
    ) {
      throw new UsageError(`there is no setting '${field}'. See: wherry settings --help`);
    }
    group[name] = valueLike(present, field, value);
  }
  return next as unknown as Settings;
}

/** Of the kind that the setting has now. */
function valueLike(present: unknown, field: string, value: string): unknown {
  if (Array.isArray(present)) return listOf(value);
  if (typeof present === 'number') return value.trim() === '' ? Number.NaN : Number(value);
  if (typeof present !== 'boolean') return value;
  if (value !== 'true' && value !== 'false') throw new UsageError(`${field} is true or false, not '${value}'`);
  return value === 'true';
}

function listOf(value: string): readonly string[] {
  return value.split(',').filter((entry) => entry.trim() !== '');
}

function flatten(value: object, prefix = ''): [string, string][] {
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]): [string, string][] =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? flatten(inner, `${prefix}${name}.`)
      : [[prefix + name, String(inner)]],
  );
}
