import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forwardRule, parseForwards, removeRule } from '../../../../../src-main/vm/qemu/forwards.ts';

/** As QEMU 7.2.22 printed it. */
const infoUsernet = [
  'Hub -1 (net0):',
  '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ',
  '  TCP[ESTABLISHED]   29       127.0.0.1 34567       10.0.2.15    22     0     0',
  '  TCP[HOST_FORWARD]  28       127.0.0.1  8080       10.0.2.15 49152     0     0',
  '  TCP[HOST_FORWARD]  14       127.0.0.1 39093       10.0.2.15    22     0     0',
  '  UDP[HOST_FORWARD]  30               *  5353       10.0.2.15 49153     0     0',
  '  UDP[236 sec]       31       10.0.2.15 50000        10.0.2.3    53     0     0',
  '',
].join('\r\n');

test('forwards are read out of the monitor’s table, and nothing else of it', () => {
  assert.deepEqual(parseForwards(infoUsernet), [
    { protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 8080, guestPort: 49_152 },
    { protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 39_093, guestPort: 22 },
    { protocol: 'udp', hostIp: '0.0.0.0', hostPort: 5353, guestPort: 49_153 },
  ]);
});

test('rules name the guest’s address', () => {
  const forward = { protocol: 'udp', hostIp: '0.0.0.0', hostPort: 53, guestPort: 49_200 } as const;
  assert.equal(forwardRule(forward), 'udp:0.0.0.0:53-10.0.2.15:49200');
  assert.equal(removeRule(forward), 'udp:0.0.0.0:53');
});
