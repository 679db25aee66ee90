import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileCgroupLimits, weightOfShares } from '../../../../../vm/agent/runtime/cgroup-limits.ts';
import type { OciResources } from '../../../../../vm/agent/runtime/runtime.ts';

function writes(resources: Omit<OciResources, 'devices'>): Record<string, string> {
  return Object.fromEntries(compileCgroupLimits({ ...resources, devices: [] }).map(({ file, value }) => [file, value]));
}

test('memory and swap are counted together by OCI, apart by the kernel', () => {
  assert.deepEqual(writes({ memory: { limit: 100, swap: 250, reservation: 50 } }), {
    'memory.max': '100',
    'memory.low': '50',
    'memory.swap.max': '150',
  });
  assert.deepEqual(writes({ memory: { limit: 100, swap: 100 } }), { 'memory.max': '100', 'memory.swap.max': '0' });
  assert.deepEqual(writes({ memory: { limit: 100, swap: -1 } })['memory.swap.max'], 'max');
  assert.deepEqual(writes({ memory: {} }), {});
});

test('processor time', () => {
  assert.deepEqual(writes({ cpu: { quota: 50_000, period: 100_000, cpus: '0-1', shares: 1024 } }), {
    'cpu.weight': '39',
    'cpu.max': '50000 100000',
    'cpuset.cpus': '0-1',
  });
  assert.deepEqual(writes({ cpu: { quota: -1 } }), { 'cpu.max': 'max 100000' });
  assert.deepEqual([2, 262_144, 1, 999_999].map(weightOfShares), [1, 10_000, 1, 10_000]);
});

test('processes and devices', () => {
  assert.deepEqual(writes({ pids: { limit: -1 } }), { 'pids.max': 'max' });
  const io = compileCgroupLimits({
    devices: [],
    blockIO: {
      weight: 500,
      throttleReadBpsDevice: [{ major: 253, minor: 0, rate: 1024 }],
      throttleWriteIOPSDevice: [{ major: 253, minor: 0, rate: 0 }],
    },
  });
  assert.deepEqual(
    io.map(({ file, value, optional }) => [file, value, optional]),
    [
      ['io.weight', 'default 4950', true],
      ['io.max', '253:0 rbps=1024', false],
      ['io.max', '253:0 wiops=max', false],
    ],
  );
});
