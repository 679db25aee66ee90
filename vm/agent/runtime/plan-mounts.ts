/** The mounts of a configuration as steps of the plan. */
import path from 'node:path';
import { mountAttributes, parseMountOptions } from './mount-options.ts';
import { planTags } from './plan-tags.ts';
import { encodeRecord } from './records.ts';
import type { OciConfig, OciMount } from './runtime.ts';

const bindFlags = { recursive: 1, idmap: 2 };
const attributeNodev = 4;
const fileTypes = { c: 0o020000, b: 0o060000 };

/** What every container has in /dev, by the OCI runtime specification. */
const standardNodes = [
  { path: '/dev/null', type: 'c', major: 1, minor: 3, fileMode: 0o666 },
  { path: '/dev/zero', type: 'c', major: 1, minor: 5, fileMode: 0o666 },
  { path: '/dev/full', type: 'c', major: 1, minor: 7, fileMode: 0o666 },
  { path: '/dev/random', type: 'c', major: 1, minor: 8, fileMode: 0o666 },
  { path: '/dev/urandom', type: 'c', major: 1, minor: 9, fileMode: 0o666 },
  { path: '/dev/tty', type: 'c', major: 5, minor: 0, fileMode: 0o666 },
] as const;

const standardLinks = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  ['core', '/proc/kcore'],
  ['ptmx', 'pts/ptmx'],
] as const;

/** In the configuration's order. `mapped`: the container has a user namespace of its own. */
export function compileMounts(config: OciConfig, mapped: boolean): readonly Buffer[] {
  const steps: Buffer[] = [];
  const binds: Buffer[] = [];
  let dev: Buffer[] = [];
  const mounts = mapped ? config.mounts.flatMap((mount) => withoutRights(mount, config)) : config.mounts;
  for (const mount of mounts) {
    const target = checkTarget(mount);
    const options = parseMountOptions(mount.options);
    if (options.bind || mount.type === 'bind') {
      const flags = (options.recursive ? bindFlags.recursive : 0) | (options.idmap ? bindFlags.idmap : 0);
      /* No devices through a volume, but /dev/fuse mounted by hand is one. */
      const nodev = mapped && !mount.source.startsWith('/dev/') ? attributeNodev : 0;
      steps.push(encodeRecord(planTags.putBind, [binds.length, options.propagation], [target]));
      binds.push(encodeRecord(planTags.bind, [flags, mountAttributes(options.flags) | nodev], [mount.source]));
    } else if (mount.type === 'tmpfs' && target === '/dev') {
      dev = compileDev(config);
      steps.push(encodeRecord(planTags.putDev, [], [target]));
    } else {
      const type = mount.type === 'cgroup' ? 'cgroup2' : mount.type;
      steps.push(
        encodeRecord(planTags.mount, [options.flags, options.propagation], [type, mount.source, target, options.data]),
      );
    }
  }
  return [...dev, ...binds, ...steps];
}

/** A mount beneath /proc could hide from the kernel's own files what masks and read-only paths are to guard. */
function checkTarget(mount: OciMount): string {
  const target = path.posix.normalize(mount.destination).replace(/(?<=.)\/$/, '');
  if (!target.startsWith('/')) throw new Error(`invalid mount target, must be an absolute path: ${mount.destination}`);
  if (target === '/') throw new Error(`invalid mount target: must not be '/'`);
  if (target.startsWith('/proc/') || (target === '/proc' && mount.type !== 'proc' && mount.source !== '/proc')) {
    throw new Error(`invalid mount target: ${target} is inside /proc`);
  }
  return target;
}

/**
 * A user namespace has no right to mount what belongs to namespaces that were not made in it. Then the guest's own is shown
 * (read-only, without what is mounted beneath it), or, for message queues, nothing.
 */
function withoutRights(mount: OciMount, config: OciConfig): readonly OciMount[] {
  const { namespaces } = config.linux;
  const owns = (type: string) =>
    namespaces.some((space) => space.type === type && (!space.path || space.isOfUserNamespace === true));
  const shown = (source: string): OciMount[] => [
    { destination: mount.destination, type: 'bind', source, options: ['bind', 'ro', 'nosuid', 'noexec'] },
  ];
  if (mount.type === 'sysfs' && !owns('network')) return shown('/sys');
  if (mount.type === 'proc' && !owns('pid')) return shown('/proc');
  if (mount.type === 'mqueue' && !owns('ipc')) return [];
  if (mount.type.startsWith('cgroup') && !owns('cgroup')) return shown('/sys/fs/cgroup');
  return [mount];
}

function compileDev(config: OciConfig): Buffer[] {
  const own = config.linux.devices.filter((device) => device.path.startsWith('/dev/'));
  const taken = new Set(own.map((device) => device.path));
  const nodes = [...standardNodes.filter((node) => !taken.has(node.path)), ...own];
  return [
    ...nodes.map((node) =>
      encodeRecord(
        planTags.node,
        [fileTypes[node.type] | (node.fileMode & 0o7777), node.major, node.minor],
        [path.posix.normalize(node.path).slice('/dev/'.length)],
      ),
    ),
    ...standardLinks.map(([name, target]) => encodeRecord(planTags.link, [], [name, target])),
  ];
}
