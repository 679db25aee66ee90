import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '../../../../../vm/contract/errors.ts';
import { defaultCapabilities } from '../../../../../vm/agent/runtime/capabilities.ts';
import { defaultSeccompProfile, parseSeccompProfile } from '../../../../../vm/agent/runtime/seccomp-profile.ts';
import type { OciSeccomp } from '../../../../../vm/agent/runtime/runtime.ts';

function rulesFor(profile: OciSeccomp, name: string) {
  return profile.syscalls.filter((rule) => rule.names.includes(name));
}

test('by default no namespaces, no VSOCK, no kernel’s own affairs', () => {
  const profile = defaultSeccompProfile(defaultCapabilities, 'x64');
  assert.deepEqual([profile.defaultAction, profile.defaultErrnoRet], ['SCMP_ACT_ERRNO', 1]);
  for (const name of [
    'mount',
    'setns',
    'unshare',
    'bpf',
    'init_module',
    'reboot',
    'keyctl',
    'add_key',
    'io_uring_setup',
    'userfaultfd',
    'kexec_load',
  ]) {
    assert.deepEqual(rulesFor(profile, name), [], name);
  }
  assert.deepEqual(
    rulesFor(profile, 'clone').map(({ args }) => args),
    [[{ index: 0, value: 0x7e02_0000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]],
  );
  assert.deepEqual(
    rulesFor(profile, 'clone3').map(({ action, errnoRet }) => [action, errnoRet]),
    [['SCMP_ACT_ERRNO', 38]],
  );
  assert.deepEqual(
    rulesFor(profile, 'socket').map(({ args }) => args),
    [[{ index: 0, value: 40, op: 'SCMP_CMP_NE' }]],
  );
  assert.equal(rulesFor(profile, 'personality').length, 5);
  assert.equal(rulesFor(profile, 'chroot').length, 1, 'CAP_SYS_CHROOT is a default one');
  assert.equal(rulesFor(profile, 'arch_prctl').length, 1);
  assert.deepEqual(rulesFor(defaultSeccompProfile([], 'arm64'), 'arch_prctl'), []);
});

test('capabilities open what they are for', () => {
  const admin = defaultSeccompProfile(['CAP_SYS_ADMIN'], 'x64');
  assert.equal(rulesFor(admin, 'mount').length, 1);
  assert.deepEqual(
    rulesFor(admin, 'clone').map(({ args }) => args),
    [[]],
  );
  assert.deepEqual(
    rulesFor(admin, 'clone3').map(({ action }) => action),
    ['SCMP_ACT_ALLOW'],
  );
  assert.deepEqual(rulesFor(admin, 'chroot'), []);
});

test('a profile of the user’s own: conditions by capability and architecture', () => {
  const json = JSON.stringify({
    defaultAction: 'SCMP_ACT_KILL',
    archMap: [
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: null },
    ],
    syscalls: [
      { name: 'read', action: 'SCMP_ACT_ALLOW' },
      { names: ['a'], action: 'SCMP_ACT_ALLOW', includes: { caps: ['CAP_X'] } },
      { names: ['b'], action: 'SCMP_ACT_ALLOW', excludes: { caps: ['CAP_X'], arches: ['s390'] } },
      { names: ['c'], action: 'SCMP_ACT_ALLOW', includes: { arches: ['amd64', 'x32'] } },
      {
        names: ['d'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 5,
        args: [{ index: 1, value: 2, op: 'SCMP_CMP_GE' }],
        excludes: { arches: ['amd64'] },
      },
    ],
  });
  const names = (capabilities: string[], machine: string) =>
    parseSeccompProfile(json, capabilities, machine).syscalls.map((rule) => rule.names[0]);
  assert.deepEqual(names([], 'x64'), ['read', 'b', 'c']);
  assert.deepEqual(names(['CAP_X'], 'arm64'), ['read', 'a', 'd']);
  assert.deepEqual(parseSeccompProfile(json, [], 'x64').architectures, ['SCMP_ARCH_X86_64']);
  assert.deepEqual(parseSeccompProfile(json, [], 'arm64').architectures, ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
});

test('what is no profile is the user’s mistake', () => {
  for (const json of [
    '',
    '[]',
    '{"defaultAction": 1}',
    '{"defaultAction":"A","syscalls":[{"action":"B","args":[{"index":9,"value":0,"op":"C"}]}]}',
  ]) {
    assert.throws(
      () => parseSeccompProfile(json, []),
      (error) =>
        error instanceof EngineError &&
        error.status === 400 &&
        error.message.startsWith('Decoding seccomp profile failed'),
      json,
    );
  }
});
