import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findJson, jsonRows } from '../../../../../src-renderer/screens/container/json-rows.ts';
import { readLimits, readMounts } from '../../../../../src-renderer/screens/container/raw-inspect.ts';

const value = { Id: 'abc', State: { Running: true, Health: { Log: [1, null] } }, 'odd.key': [], Env: ['A=B'] };

const paths = (toggled: readonly string[] = [], depth = 1) =>
  jsonRows(value, new Set(toggled), depth).map(({ path }) => path);

test('rows are open to a depth, toggled by path, and named as jq would', () => {
  assert.deepEqual(paths(), ['.Id', '.State', '.State.Running', '.State.Health', '["odd.key"]', '.Env', '.Env[0]']);
  assert.deepEqual(paths(['.State', '.Env']), ['.Id', '.State', '["odd.key"]', '.Env']);
  assert.ok(paths(['.State.Health']).includes('.State.Health.Log'));
  assert.ok(paths(['.State.Health', '.State.Health.Log']).includes('.State.Health.Log[1]'));
});

test('a search finds names and plain values and the way to each', () => {
  const found = findJson(value, 'HEALTH');
  assert.deepEqual(found.hits, ['.State.Health']);
  assert.deepEqual([...found.way], ['.State']);
  assert.deepEqual(findJson(value, 'a=b').hits, ['.Env[0]']);
  assert.deepEqual(findJson(value, 'null').hits, ['.State.Health.Log[1]']);
  assert.deepEqual(findJson(value, '').hits, []);
});

test('odd roots give no rows rather than a failure', () => {
  for (const root of [undefined, null, 'text', 7]) assert.deepEqual(jsonRows(root, new Set(), 1), []);
});

test('limits and mounts are read from whatever the engine sent', () => {
  assert.deepEqual(readLimits({ HostConfig: { Memory: 0, NanoCpus: 1.5e9, PidsLimit: null } }), { cpus: 1.5 });
  assert.deepEqual(readLimits({ HostConfig: { CpuQuota: 50_000, CpuPeriod: 0 } }), { cpus: 0.5 });
  for (const raw of [undefined, null, 'x', { HostConfig: null }]) assert.deepEqual(readLimits(raw), {});
  assert.deepEqual(readMounts({ Mounts: [{ Type: 'bind', Source: '/a', Destination: '/b', RW: false }, null] }), [
    'bind /a → /b (read-only)',
    '  → ',
  ]);
  assert.deepEqual(readMounts({ Mounts: 'x' }), []);
});
