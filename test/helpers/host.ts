/** A whole Wherry host on a throw-away home: its VM is ended and its files removed on every path. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lockHome } from '../../src-main/acquire.ts';
import { Cleanup } from '../../src-main/cleanup.ts';
import type { VmSettings } from '../../src-main/contract/vm.ts';
import { prepareHome, type HomePaths } from '../../src-main/home.ts';
import { createHost, type Host, type HostOptions } from '../../src-main/host.ts';

export const checkout = path.resolve(import.meta.dirname, '..', '..');

/** The built guest images; another checkout's with `WHERRY_GUEST_IMAGE`. */
export const imageRoot = process.env['WHERRY_GUEST_IMAGE'] ?? path.join(checkout, 'dist', 'guest');

export interface TestHost extends AsyncDisposable {
  readonly host: Host;
  readonly paths: HomePaths;
}

export interface TestHostOptions extends Partial<HostOptions> {
  readonly vm?: Partial<VmSettings>;
  /** An existing home, which is then kept. */
  readonly home?: string;
}

/** The VM is not started yet. */
export async function openTestHost(options: TestHostOptions = {}): Promise<TestHost> {
  await using cleanup = new Cleanup();
  const home = options.home ?? (await mkdtemp(path.join(tmpdir(), 'wherry-')));
  if (options.home === undefined) cleanup.add('remove the home', () => rm(home, { recursive: true, force: true }));
  const paths = await prepareHome(home);
  const lock = await lockHome(paths.lock, 'shell');
  cleanup.add('unlock the home', () => lock[Symbol.asyncDispose]());
  const host = await createHost(paths, { imageRoot, ...options });
  cleanup.add('close the host', () => host[Symbol.asyncDispose]());
  cleanup.add('stop the VM', () => host.vm.stop());
  const { current } = host.settings;
  const vm = { ...current.vm, cpus: Math.min(2, current.vm.cpus), memoryMiB: 1536, diskGiB: 16, ...options.vm };
  await host.settings.set({ ...current, vm });
  const owned = cleanup.release();
  return { host, paths, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}
