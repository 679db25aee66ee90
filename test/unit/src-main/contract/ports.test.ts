import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PortView } from '../../../../src-main/contract/engine.ts';
import { distinctPorts, portUrl } from '../../../../src-main/contract/ports.ts';

const port = (values: Partial<PortView>): PortView => ({ containerPort: 80, protocol: 'tcp', ...values });

test('published TCP ports have an address on this computer', () => {
  assert.equal(portUrl(port({ hostPort: 8080, hostIp: '127.0.0.1' })), 'http://localhost:8080/');
  assert.equal(portUrl(port({ hostPort: 8080, hostIp: '0.0.0.0' })), 'http://localhost:8080/');
  assert.equal(portUrl(port({ hostPort: 443 })), 'https://localhost:443/');
  assert.equal(portUrl(port({ hostPort: 80, hostIp: '192.168.1.4' })), 'http://192.168.1.4:80/');
  assert.equal(portUrl(port({ hostPort: 80, hostIp: 'fe80::1' })), 'http://[fe80::1]:80/');
  assert.equal(portUrl(port({})), undefined);
  assert.equal(portUrl(port({ hostPort: 53, protocol: 'udp' })), undefined);
});

test('one port on both address families is one port; published ones come first', () => {
  const ports = distinctPorts([
    port({ containerPort: 9000 }),
    port({ hostPort: 8080, hostIp: '0.0.0.0' }),
    port({ hostPort: 8080, hostIp: '::' }),
  ]);
  assert.deepEqual(
    ports.map(({ containerPort, hostPort }) => [containerPort, hostPort]),
    [
      [80, 8080],
      [9000, undefined],
    ],
  );
});
