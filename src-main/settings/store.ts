/** Settings in one JSON file, written durably; the present value is always in memory. */
import { EventEmitter } from 'node:events';
import { access } from 'node:fs/promises';
import os from 'node:os';
import { AppError } from '../contract/errors.ts';
import type { Settings } from '../contract/vm.ts';
import { readIfThere, writeDurably } from '../durable-file.ts';
import type { HomePaths } from '../home.ts';
import type { SettingsService, Unsubscribe } from '../services.ts';
import { checkSettings, readSettings, type HostResources } from './schema.ts';

export type SettingsPaths = Pick<HomePaths, 'settings'> & { readonly vm: Pick<HomePaths['vm'], 'dataDisk'> };

export class SettingsStore implements SettingsService {
  readonly #file: string;
  readonly #dataDisk: string;
  readonly #host: HostResources;
  readonly #events = new EventEmitter<{ change: [Settings] }>();
  #current: Settings;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(paths: SettingsPaths, host: HostResources, current: Settings) {
    this.#file = paths.settings;
    this.#dataDisk = paths.vm.dataDisk;
    this.#host = host;
    this.#current = current;
  }

  static async open(paths: SettingsPaths, host: HostResources = hostResources()): Promise<SettingsStore> {
    return new SettingsStore(paths, host, readSettings(await readIfThere(paths.settings), host));
  }

  get current(): Settings {
    return this.#current;
  }

  async set(settings: Settings): Promise<{ needsRestart: readonly string[] }> {
    const next = checkSettings(settings, this.#host);
    const change = async (): Promise<{ needsRestart: readonly string[] }> => {
      const before = this.#current;
      if (next.vm.diskGiB < before.vm.diskGiB && (await this.#hasDisk())) {
        throw new AppError(
          'invalid-input',
          `change settings: vm.diskGiB can only grow, from ${before.vm.diskGiB} to more, not to ${next.vm.diskGiB}`,
          { hint: 'The disk is sparse: it takes only what is used.' },
        );
      }
      await writeDurably(this.#file, `${JSON.stringify(next, null, 2)}\n`);
      this.#current = next;
      this.#events.emit('change', next);
      return {
        needsRestart: [
          ...changedFields('vm', before.vm, next.vm),
          ...changedFields('network', before.network, next.network),
        ],
      };
    };
    // One at a time: two windows may change settings at once, and the last one written must be the last one told.
    const done = this.#writing.then(change);
    this.#writing = done.catch(() => undefined);
    return done;
  }

  /** Before the first boot there is nothing that could be cut off. */
  async #hasDisk(): Promise<boolean> {
    return access(this.#dataDisk).then(
      () => true,
      () => false,
    );
  }

  onChange(listener: (settings: Settings) => void): Unsubscribe {
    this.#events.on('change', listener);
    return () => this.#events.off('change', listener);
  }
}

function hostResources(): HostResources {
  return { cores: os.availableParallelism(), memoryMiB: Math.floor(os.totalmem() / (1024 * 1024)) };
}

/** All of this takes effect when the VM is started next. */
function changedFields<T extends object>(group: string, before: T, after: T): string[] {
  const fields = Object.keys(after) as (keyof T & string)[];
  return fields
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => `${group}.${field}`);
}
