/** Capabilities: Docker's default set and what `--cap-add`, `--cap-drop` and `--privileged` make of it. */
import { EngineError } from '../../contract/errors.ts';

/** All that Linux 6.1 has. */
const all =
  `CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`
    .split(/\s+/)
    .map((name) => `CAP_${name}`);

const defaults =
  `CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT
KILL AUDIT_WRITE`
    .split(/\s+/)
    .map((name) => `CAP_${name}`);

/** Throws `invalid-parameter` for an unknown name. */
export function effectiveCapabilities(options: {
  readonly privileged: boolean;
  readonly add: readonly string[];
  readonly drop: readonly string[];
}): string[] {
  const add = options.add.map(normalise);
  const drop = options.drop.map(normalise);
  if (options.privileged) return all;
  const base = add.includes('ALL') ? all : drop.includes('ALL') ? [] : defaults;
  const kept = base.filter((name) => !drop.includes(name));
  return [...new Set([...kept, ...add.filter((name) => name !== 'ALL' && !drop.includes(name))])];
}

function normalise(name: string): string {
  const upper = name.toUpperCase();
  if (upper === 'ALL') return upper;
  const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (all.includes(full)) return full;
  throw new EngineError('invalid-parameter', `invalid capability: "${name}"`);
}
