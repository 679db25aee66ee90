import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBlockStats, parseCpuStats, parseNetworks } from '../../../../../vm/agent/runtime/stats.ts';

test('processor time in nanoseconds, against that of all processors', () => {
  const cgroup = 'usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 4\nnr_throttled 2\nthrottled_usec 7\n';
  const machine = 'cpu  1 2 3 4 5 6 7 8 100 100\ncpu0 1 1 1 1 1 1 1 1 0 0\ncpu1 0 1 2 3 4 5 6 7 0 0\nintr 1\n';
  assert.deepEqual(parseCpuStats(cgroup, machine), {
    cpu_usage: { total_usage: 30_000, usage_in_kernelmode: 10_000, usage_in_usermode: 20_000 },
    system_cpu_usage: 360_000_000,
    online_cpus: 2,
    throttling_data: { periods: 4, throttled_periods: 2, throttled_time: 7000 },
  });
});

test('devices', () => {
  const { io_service_bytes_recursive: bytes, io_serviced_recursive: operations } = parseBlockStats(
    '253:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n',
  );
  assert.deepEqual(bytes, [
    { major: 253, minor: 16, op: 'read', value: 1 },
    { major: 253, minor: 16, op: 'write', value: 2 },
  ]);
  assert.deepEqual(
    operations.map(({ value }) => value),
    [3, 4],
  );
  assert.deepEqual(parseBlockStats('').io_service_bytes_recursive, []);
});

test('interfaces, without loopback', () => {
  const head =
    'Inter-|   Receive                |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes\n';
  const text = `${head}    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0:1234 5 6 7 0 0 0 0 8 9 10 11 0 0 0 0\n`;
  assert.deepEqual(parseNetworks(text), {
    eth0: {
      rx_bytes: 1234,
      rx_packets: 5,
      rx_errors: 6,
      rx_dropped: 7,
      tx_bytes: 8,
      tx_packets: 9,
      tx_errors: 10,
      tx_dropped: 11,
    },
  });
  assert.equal(parseNetworks(head), undefined);
});
