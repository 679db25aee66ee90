/** The host's services without a VM, for tests of the handlers and shells. */
import { AppError } from '../../src-main/contract/errors.ts';
import { defaultNetwork, defaultTerminal, type Settings, type VmView } from '../../src-main/contract/vm.ts';
import type { HostServices } from '../../src-main/services.ts';
import type { SecretStore } from '../../src-main/secrets/secret-store.ts';
import { Source } from './handlers.ts';

export const someSettings: Settings = {
  vm: { cpus: 2, memoryMiB: 2048, diskGiB: 32, accelerator: 'auto', backend: 'auto' },
  network: defaultNetwork,
  appearance: { theme: 'system' },
  terminal: defaultTerminal,
  desktop: { onClose: 'hide', startAtLogin: false, notifications: true },
  onQuit: 'leave-running',
  sleepAfterMinutes: 5,
};

export function vmView(kind: 'absent' | 'ready' | 'sleeping'): VmView {
  return {
    state:
      kind === 'ready' ? { kind, sinceMs: 1, bootTookMs: 1 } : kind === 'sleeping' ? { kind, step: 'saved' } : { kind },
    stages: [],
    link: kind === 'ready' ? 'up' : 'none',
    dockerHost: 'unix:///nowhere/docker.sock',
    warnings: [],
  };
}

export interface ServiceOverrides {
  readonly home?: string;
  readonly vm?: Source<VmView>;
  readonly secrets?: SecretStore;
  readonly connectEngine?: HostServices['link']['connectEngine'];
}

export function fakeServices(overrides: ServiceOverrides): HostServices & AsyncDisposable {
  const vm = overrides.vm ?? new Source(vmView('absent'));
  const settings = new Source(someSettings);
  return {
    home: overrides.home ?? '/nowhere',
    vm: {
      get view() {
        return vm.current;
      },
      onChange: (listener) => vm.onChange(listener),
      start: () => {
        vm.set(vmView('ready'));
        return Promise.resolve();
      },
      stop: () => {
        vm.set(vmView('absent'));
        return Promise.resolve();
      },
      restart: () => Promise.resolve(),
      sleep: () => {
        vm.set(vmView('sleeping'));
        return Promise.resolve();
      },
      reset: () => Promise.resolve(),
      mend: () => Promise.resolve(),
      // eslint-disable-next-line @typescript-eslint/require-await -- a stream of ready items
      console: async function* () {
        yield 'wherry: stage init\n';
      },
    },
    link: {
      connectEngine:
        overrides.connectEngine ?? (() => Promise.reject(new AppError('vm-absent', 'reach the engine: no VM runs'))),
      connectPort: () => Promise.reject(new AppError('vm-absent', 'connect to the guest: no VM runs')),
      openGuestShell: () => Promise.reject(new AppError('vm-absent', 'open a shell: no VM runs')),
      onUp: () => () => undefined,
    },
    settings: {
      get current() {
        return settings.current;
      },
      set: (value) => {
        settings.set(value);
        return Promise.resolve({ needsRestart: [] });
      },
      onChange: (listener) => settings.onChange(listener),
    },
    secrets: overrides.secrets ?? memorySecrets(),
    doctor: { run: () => Promise.resolve([]) },
    dockerClients: () => 0,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Kept as long as the test. */
export function memorySecrets(): SecretStore {
  const kept = new Source<ReadonlyMap<string, { label: string; secret: string }>>(new Map());
  return {
    place: 'file',
    list: () => [...kept.current].map(([name, { label }]) => ({ name, label, place: 'file', readable: true })),
    get: (name) => kept.current.get(name)?.secret,
    put: (name, label, secret) => {
      kept.set(new Map([...kept.current, [name, { label, secret }]]));
      return Promise.resolve();
    },
    remove: (name) => {
      kept.set(new Map([...kept.current].filter(([other]) => other !== name)));
      return Promise.resolve();
    },
    onChange: (listener) => kept.onChange(listener),
  };
}
