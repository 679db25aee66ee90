/**
 * What the agent asks of Linux and Node cannot ask. One implementation over the addon, one recording fake for unit tests.
 * Nothing here blocks: each call runs on a thread of Node's pool. Failures reject with {@link KernelError}.
 */

/** Words of `mount(2)`, without the `MS_`. */
export type MountFlag =
  | 'rdonly'
  | 'nosuid'
  | 'nodev'
  | 'noexec'
  | 'remount'
  | 'noatime'
  | 'relatime'
  | 'bind'
  | 'rec'
  | 'private'
  | 'slave'
  | 'shared';

export interface MountRequest {
  /** Null for changes of flags or propagation. */
  readonly source: string | null;
  readonly target: string;
  readonly type: string | null;
  readonly flags: readonly MountFlag[];
  /** Options of the filesystem: `prjquota,discard`. */
  readonly data: string | null;
}

export type UnmountFlag = 'force' | 'detach' | 'expire' | 'nofollow';

/** Words of `openat2(2)`'s `resolve`, without the `RESOLVE_`. */
export type ResolveFlag = 'no_xdev' | 'no_magiclinks' | 'no_symlinks' | 'beneath' | 'in_root';

export interface OpenRequest {
  /** An open folder. */
  readonly folder: number;
  readonly path: string;
  /** `fs.constants.O_…` */
  readonly flags: number;
  readonly mode?: number;
  readonly resolve: readonly ResolveFlag[];
}

export type NetlinkProtocol = 'route' | 'netfilter';

/**
 * A netlink socket. It stays in the namespace it was opened in. Exchanges on one socket are made one after the other.
 * After a failed exchange (not: a refusal by the kernel, which is part of the answer) it must be closed.
 */
export interface NetlinkSocket {
  /**
   * Sends `messages` (whole netlink messages, one after the other) and resolves with every answer, when `answers` of them are
   * complete: one for each message that asks for an acknowledgement or a dump.
   */
  exchange(messages: Buffer, answers: number): Promise<Buffer>;
  close(): void;
}

export interface Kernel {
  mount(request: MountRequest): Promise<void>;
  unmount(target: string, flags: readonly UnmountFlag[]): Promise<void>;
  /** Opens a path without leaving a folder; the descriptor is the caller's to close. */
  open(request: OpenRequest): Promise<number>;
  /** Writes out the filesystem that `path` is on. */
  syncFilesystem(path: string): Promise<void>;
  /** Gives unused blocks back to the disk; resolves with their bytes. */
  trim(mountPoint: string): Promise<number>;
  /** What is made in `folder` from now on counts for `project` (0: none). */
  setProject(folder: string, project: number): Promise<void>;
  /** 0: unlimited. Writes beyond it fail with EDQUOT or ENOSPC. */
  setProjectLimit(mountPoint: string, project: number, limitBytes: number): Promise<void>;
  /** Bytes used. */
  projectUsage(mountPoint: string, project: number): Promise<number>;
  /** Never waits: rejects with EAGAIN when another holds it. */
  lockFile(descriptor: number, lock: 'shared' | 'exclusive' | 'unlock'): Promise<void>;
  setClock(nowMs: number): Promise<void>;
  /** A descriptor of the process, the caller's to close; it never means another process, as a pid may. */
  openProcess(pid: number): Promise<number>;
  /** Rejects with ESRCH when it has ended. 0 only asks. */
  signalProcess(descriptor: number, signal: number): Promise<void>;
  /** In the agent's own network, or the one at `namespacePath` (`/proc/<pid>/ns/net`). */
  openNetlink(protocol: NetlinkProtocol, namespacePath?: string): Promise<NetlinkSocket>;
}

/** A refusal by the kernel: `mount /dev/vda on /data: EINVAL`. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  /** `ENOENT`. */
  readonly code: string;
  readonly errno: number;

  constructor(attempt: string, errno: number, detail = '') {
    const code = errnoName(errno);
    super(`${attempt}: ${code}${detail === '' ? '' : ` (${detail})`}`);
    this.code = code;
    this.errno = errno;
  }
}

/** Linux's numbers, which differ from Node's table on other systems. Those that are met with here. */
const errnoNames: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  3: 'ESRCH',
  4: 'EINTR',
  5: 'EIO',
  6: 'ENXIO',
  7: 'E2BIG',
  9: 'EBADF',
  11: 'EAGAIN',
  12: 'ENOMEM',
  13: 'EACCES',
  14: 'EFAULT',
  15: 'ENOTBLK',
  16: 'EBUSY',
  17: 'EEXIST',
  18: 'EXDEV',
  19: 'ENODEV',
  20: 'ENOTDIR',
  21: 'EISDIR',
  22: 'EINVAL',
  23: 'ENFILE',
  24: 'EMFILE',
  25: 'ENOTTY',
  27: 'EFBIG',
  28: 'ENOSPC',
  30: 'EROFS',
  31: 'EMLINK',
  34: 'ERANGE',
  36: 'ENAMETOOLONG',
  38: 'ENOSYS',
  40: 'ELOOP',
  61: 'ENODATA',
  75: 'EOVERFLOW',
  90: 'EMSGSIZE',
  92: 'ENOPROTOOPT',
  93: 'EPROTONOSUPPORT',
  95: 'EOPNOTSUPP',
  97: 'EAFNOSUPPORT',
  98: 'EADDRINUSE',
  99: 'EADDRNOTAVAIL',
  100: 'ENETDOWN',
  101: 'ENETUNREACH',
  105: 'ENOBUFS',
  110: 'ETIMEDOUT',
  113: 'EHOSTUNREACH',
  117: 'EUCLEAN',
  122: 'EDQUOT',
  125: 'ECANCELED',
};

function errnoName(errno: number): string {
  return errnoNames[errno] ?? `errno ${errno}`;
}
