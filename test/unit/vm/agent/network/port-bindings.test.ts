import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePortBindings } from '../../../../../vm/agent/network/port-bindings.ts';

const parse = (portBindings: Parameters<typeof parsePortBindings>[0]['portBindings'], exposed: string[] = []) =>
  parsePortBindings({ portBindings, exposed, publishAll: exposed.length > 0 });

test('bindings become specs: fixed, ranged, free, with and without address', () => {
  assert.deepEqual(
    parse({
      '80/tcp': [
        { HostIp: '', HostPort: '8080' },
        { HostIp: '0.0.0.0', HostPort: '' },
      ],
      '53/udp': [{ HostPort: '5300-5310' }],
      '443': [{ HostIp: '[::1]', HostPort: '0' }],
    }),
    [
      { protocol: 'tcp', containerPort: 443, hostIp: '::1', hostPorts: undefined },
      { protocol: 'tcp', containerPort: 80, hostIp: '', hostPorts: { first: 8080, last: 8080 } },
      { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPorts: undefined },
      { protocol: 'udp', containerPort: 53, hostIp: '', hostPorts: { first: 5300, last: 5310 } },
    ],
  );
});

test('publish-all adds exposed ports that have no binding', () => {
  assert.deepEqual(parse({ '80/tcp': [{ HostPort: '81' }] }, ['80/tcp', '80/udp']), [
    { protocol: 'tcp', containerPort: 80, hostIp: '', hostPorts: { first: 81, last: 81 } },
    { protocol: 'udp', containerPort: 80, hostIp: '', hostPorts: undefined },
  ]);
});

test('an empty or null list of bindings publishes nothing', () => {
  assert.deepEqual(parse({ '80/tcp': null, '81/tcp': [] }), []);
});

for (const [key, hostPort, hostIp] of [
  ['0/tcp', '80', ''],
  ['70000', '80', ''],
  ['80/sctp', '80', ''],
  ['80/tcp/x', '80', ''],
  ['-1', '80', ''],
  ['', '80', ''],
  ['80', '65536', ''],
  ['80', '90-80', ''],
  ['80', '80-90-100', ''],
  ['80', 'http', ''],
  ['80', '80', 'localhost'],
  ['80', '80', '1.2.3.4.5'],
] as const) {
  test(`refused: ${hostIp}:${hostPort}:${key}`, () => {
    assert.throws(() => parse({ [key]: [{ HostIp: hostIp, HostPort: hostPort }] }), { code: 'invalid-parameter' });
  });
}
