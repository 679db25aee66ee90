/** Which devices a container may use. */
import { EngineError } from '../../contract/errors.ts';
import type { OciResources } from '../runtime/runtime.ts';

type DeviceRule = OciResources['devices'][number];

const use = (major: number, minor: number | undefined): DeviceRule => ({
  allow: true,
  type: 'c',
  major,
  ...(minor === undefined ? {} : { minor }),
  access: 'rwm',
});

/** Docker's: all denied, nodes may be made, the harmless ones used. */
export const standardDeviceRules: readonly DeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  // null, zero, full, random, urandom
  ...[3, 5, 7, 8, 9].map((minor) => use(1, minor)),
  // tty, console, ptmx, pts/*
  ...[0, 1, 2].map((minor) => use(5, minor)),
  use(136, undefined),
];

/** `c 42:* rmw`. Throws `invalid-parameter`. */
export function parseDeviceRule(text: string): DeviceRule {
  const match = /^([acb]) (\*|\d+):(\*|\d+) ([rwm]{1,3})$/.exec(text);
  if (match === null) throw new EngineError('invalid-parameter', `invalid device cgroup rule format: '${text}'`);
  const [, type = 'a', major = '*', minor = '*', access = ''] = match;
  return {
    allow: true,
    ...(type === 'a' ? {} : { type: type as 'b' | 'c' }),
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
    access,
  };
}
