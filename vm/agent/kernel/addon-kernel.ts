/** {@link Kernel} over the addon, `native/addon`. */
import { closeSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  type Kernel,
  KernelError,
  type MountFlag,
  type NetlinkProtocol,
  type NetlinkSocket,
  type ResolveFlag,
  type UnmountFlag,
} from './kernel.ts';

/** Each resolves with a number: a result, or a negated errno. */
interface Addon {
  mount(
    source: string | null,
    target: string,
    type: string | null,
    flags: number,
    data: string | null,
  ): Promise<number>;
  unmount(target: string, flags: number): Promise<number>;
  openat2(folder: number, path: string, flags: number, mode: number, resolve: number): Promise<number>;
  syncfs(path: string): Promise<number>;
  trim(mountPoint: string): Promise<number>;
  setProject(folder: string, project: number): Promise<number>;
  setProjectLimit(mountPoint: string, project: number, limitBytes: number): Promise<number>;
  projectUsage(mountPoint: string, project: number): Promise<number>;
  flock(descriptor: number, operation: number): Promise<number>;
  setClock(nowMs: number): Promise<number>;
  pidfdOpen(pid: number): Promise<number>;
  pidfdSignal(descriptor: number, signal: number): Promise<number>;
  netlinkOpen(protocol: number, namespacePath: string | null): Promise<number>;
  netlinkExchange(descriptor: number, messages: Buffer, answers: number): Promise<Buffer | number>;
}

const mountFlags: Readonly<Record<MountFlag, number>> = {
  rdonly: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  remount: 32,
  noatime: 1024,
  bind: 4096,
  rec: 16384,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
  relatime: 1 << 21,
};
const unmountFlags: Readonly<Record<UnmountFlag, number>> = { force: 1, detach: 2, expire: 4, nofollow: 8 };
const resolveFlags: Readonly<Record<ResolveFlag, number>> = {
  no_xdev: 1,
  no_magiclinks: 2,
  no_symlinks: 4,
  beneath: 8,
  in_root: 16,
};
const locks = { shared: 1, exclusive: 2, unlock: 8 } as const;
const netlinkProtocols: Readonly<Record<NetlinkProtocol, number>> = { route: 0, netfilter: 12 };

/** @param addonPath Absolute path of `kernel.node`. */
export function loadAddonKernel(addonPath: string): Kernel {
  return createAddonKernel(createRequire(addonPath)(addonPath) as Addon);
}

function createAddonKernel(addon: Addon): Kernel {
  return {
    async mount({ source, target, type, flags, data }) {
      const done = addon.mount(source, target, type, bits(flags, mountFlags), data);
      await checked(`mount ${source ?? type ?? flags.join(',')} on ${target}`, done);
    },
    async unmount(target, flags) {
      await checked(`unmount ${target}`, addon.unmount(target, bits(flags, unmountFlags)));
    },
    open({ folder, path, flags, mode, resolve }) {
      return checked(`open ${path}`, addon.openat2(folder, path, flags, mode ?? 0, bits(resolve, resolveFlags)));
    },
    async syncFilesystem(path) {
      await checked(`sync the filesystem of ${path}`, addon.syncfs(path));
    },
    trim(mountPoint) {
      return checked(`trim ${mountPoint}`, addon.trim(mountPoint));
    },
    async setProject(folder, project) {
      await checked(`put ${folder} in quota project ${project}`, addon.setProject(folder, project));
    },
    async setProjectLimit(mountPoint, project, limitBytes) {
      const done = addon.setProjectLimit(mountPoint, project, limitBytes);
      await checked(`limit quota project ${project} on ${mountPoint} to ${limitBytes} bytes`, done);
    },
    projectUsage(mountPoint, project) {
      return checked(
        `read usage of quota project ${project} on ${mountPoint}`,
        addon.projectUsage(mountPoint, project),
      );
    },
    async lockFile(descriptor, lock) {
      await checked(`${lock} lock of descriptor ${descriptor}`, addon.flock(descriptor, locks[lock]));
    },
    async setClock(nowMs) {
      await checked(`set the clock to ${nowMs} ms`, addon.setClock(Math.trunc(nowMs)));
    },
    openProcess(pid) {
      return checked(`open process ${pid}`, addon.pidfdOpen(pid));
    },
    async signalProcess(descriptor, signal) {
      await checked(`send signal ${signal} to process descriptor ${descriptor}`, addon.pidfdSignal(descriptor, signal));
    },
    async openNetlink(protocol, namespacePath) {
      const where = namespacePath === undefined ? '' : ` in ${namespacePath}`;
      const descriptor = await checked(
        `open a ${protocol} netlink socket${where}`,
        addon.netlinkOpen(netlinkProtocols[protocol], namespacePath ?? null),
      );
      return createSocket(addon, descriptor, `${protocol} netlink exchange${where}`);
    },
  };
}

function createSocket(addon: Addon, descriptor: number, attempt: string): NetlinkSocket {
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;
  const exchangeNow = async (messages: Buffer, answers: number): Promise<Buffer> => {
    if (closed) throw new KernelError(attempt, 9);
    const reply = await addon.netlinkExchange(descriptor, messages, answers);
    if (typeof reply === 'number') throw new KernelError(attempt, -reply);
    return reply;
  };
  return {
    exchange(messages, answers) {
      const next = last.then(() => exchangeNow(messages, answers));
      // The next in line goes ahead whatever became of this one; the failure is this caller's.
      last = next.catch(() => undefined);
      return next;
    },
    close() {
      if (closed) return;
      closed = true;
      // An exchange on its way still uses the descriptor.
      void last.then(() => closeSync(descriptor));
    },
  };
}

async function checked(attempt: string, result: Promise<number>): Promise<number> {
  const value = await result;
  if (value < 0) throw new KernelError(attempt, -value);
  return value;
}

function bits<Flag extends string>(flags: readonly Flag[], values: Readonly<Record<Flag, number>>): number {
  return flags.reduce((sum, flag) => sum | values[flag], 0);
}
