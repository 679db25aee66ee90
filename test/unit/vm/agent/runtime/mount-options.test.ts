import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountAttributes, parseMountOptions } from '../../../../../vm/agent/runtime/mount-options.ts';

test('words become flags, propagation and the file system’s own options', () => {
  assert.deepEqual(parseMountOptions(['nosuid', 'ro', 'mode=755', 'rshared', 'size=1m', 'z']), {
    flags: 3,
    propagation: (1 << 20) | (1 << 14),
    bind: false,
    recursive: false,
    idmap: false,
    data: 'mode=755,size=1m',
  });
});

test('the later of two opposites holds', () => {
  assert.equal(parseMountOptions(['ro', 'noexec', 'rw']).flags, 8);
  assert.equal(parseMountOptions(['rw', 'ro']).flags, 1);
});

test('binds', () => {
  const { bind, recursive, idmap, data } = parseMountOptions(['rbind', 'idmap']);
  assert.deepEqual([bind, recursive, idmap, data], [true, true, true, '']);
  assert.equal(mountAttributes(parseMountOptions(['ro', 'nodev', 'noatime']).flags), 5);
});
