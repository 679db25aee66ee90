/** What mount(8)'s option words mean to the kernel. */

const flags: Readonly<Record<string, number>> = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  dirsync: 128,
  nosymfollow: 256,
  noatime: 1024,
  nodiratime: 2048,
  relatime: 1 << 21,
  strictatime: 1 << 24,
  lazytime: 1 << 25,
};
/** Words that undo a flag, or ask for what is so anyway. */
const undo: Readonly<Record<string, number>> = {
  rw: 1,
  suid: 2,
  dev: 4,
  exec: 8,
  async: 16,
  symfollow: 256,
  atime: 1024,
  diratime: 2048,
  defaults: 0,
  noauto: 0,
  loud: 0,
};

const recursive = 1 << 14;
const propagations: Readonly<Record<string, number>> = {
  unbindable: 1 << 17,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
  runbindable: (1 << 17) | recursive,
  rprivate: (1 << 18) | recursive,
  rslave: (1 << 19) | recursive,
  rshared: (1 << 20) | recursive,
};

export interface ParsedMountOptions {
  /** MS_… of mount(2), without propagation and bind. */
  readonly flags: number;
  /** MS_… for a call of its own; 0: leave as it is. */
  readonly propagation: number;
  readonly bind: boolean;
  readonly recursive: boolean;
  readonly idmap: boolean;
  /** What is the file system's own, joined with commas. */
  readonly data: string;
}

export function parseMountOptions(words: readonly string[]): ParsedMountOptions {
  let set = 0;
  let propagation = 0;
  const data: string[] = [];
  const seen = new Set(words);
  for (const word of words) {
    if (word in flags) set |= flags[word] ?? 0;
    else if (word in undo) set &= ~(undo[word] ?? 0);
    else if (word in propagations) propagation = propagations[word] ?? 0;
    else if (!['bind', 'rbind', 'idmap', 'ridmap', 'nocopy', 'z', 'Z', ''].includes(word)) data.push(word);
  }
  return {
    flags: set,
    propagation,
    bind: seen.has('bind') || seen.has('rbind'),
    recursive: seen.has('rbind'),
    idmap: seen.has('idmap') || seen.has('ridmap'),
    data: data.join(','),
  };
}

/** The MOUNT_ATTR_… of mount_setattr(2) for those MS_… flags that have one alone (access times do not). */
export function mountAttributes(mountFlags: number): number {
  return (mountFlags & 15) | (mountFlags & 256 ? 0x200000 : 0);
}
