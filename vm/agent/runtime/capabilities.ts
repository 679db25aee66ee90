/** Capability names and what `--cap-add` and `--cap-drop` come to. */

/** By number, from 0; capabilities(7). */
export const capabilityNames = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const;

/** What Docker leaves a container. */
export const defaultCapabilities: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

/** The bits of the named capabilities. Throws on a name that is none. */
export function capabilityMask(names: readonly string[]): bigint {
  return names.reduce((mask, name) => {
    const number = (capabilityNames as readonly string[]).indexOf(name);
    if (number < 0) throw new Error(`unknown capability: ${name}`);
    return mask | (1n << BigInt(number));
  }, 0n);
}

/** `net_admin` and `CAP_NET_ADMIN` are the same; `ALL` stays. Throws in Docker's words. */
function normalizeCapability(name: string, option: 'CapAdd' | 'CapDrop'): string {
  const upper = name.trim().toUpperCase();
  if (upper === 'ALL' || upper === 'CAP_ALL') return 'ALL';
  const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (!(capabilityNames as readonly string[]).includes(full)) {
    throw new Error(`invalid ${option}: unknown capability: ${JSON.stringify(full)}`);
  }
  return full;
}

/**
 * The set a container gets. `--cap-add ALL` begins with all and takes away what is dropped; `--cap-drop ALL` leaves
 * only what is added; else the default set, less the dropped, more the added.
 */
export function resolveCapabilities(settings: {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
}): readonly string[] {
  if (settings.privileged) return capabilityNames;
  const add = new Set(settings.add.map((name) => normalizeCapability(name, 'CapAdd')));
  const drop = new Set(settings.drop.map((name) => normalizeCapability(name, 'CapDrop')));
  if (add.has('ALL')) return capabilityNames.filter((name) => !drop.has(name));
  if (drop.has('ALL')) return capabilityNames.filter((name) => add.has(name));
  return capabilityNames.filter((name) => add.has(name) || (defaultCapabilities.includes(name) && !drop.has(name)));
}
