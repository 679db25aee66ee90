import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ContainerRecord, createFileEndpointStore } from '../../../../../vm/agent/network/endpoint-store.ts';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'wherry-endpoints-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return path.join(folder, 'network');
}
const record = (containerId: string): ContainerRecord => ({
  containerId,
  endpoints: [
    {
      id: 'e',
      containerId,
      containerName: 'web',
      networkId: 'n',
      networkName: 'bridge',
      address: '172.17.0.2',
      prefixLength: 16,
      gateway: '172.17.0.1',
      inet6: { address: 'fd00::2', prefixLength: 64, gateway: 'fd00::1' },
      mac: '02:42:ac:11:00:02',
      aliases: [],
      links: [],
      interfaceName: 'eth0',
      link: 'veth1',
    },
  ],
  ports: [
    {
      protocol: 'tcp',
      containerPort: 80,
      hostIp: '127.0.0.1',
      hostPort: 8080,
      hostPorts: { first: 8080, last: 8090 },
      guestPort: 49152,
    },
  ],
});

test('what one store saved another loads; for nobody else to read', (t) => {
  const folder = folderFor(t);
  const store = createFileEndpointStore(folder);
  store.save(record('a'));
  store.save(record('b'));
  store.save({ ...record('a'), ports: [] });
  assert.deepEqual(
    [...createFileEndpointStore(folder).load()].sort((x, y) => x.containerId.localeCompare(y.containerId)),
    [{ ...record('a'), ports: [] }, record('b')],
  );
  assert.equal(statSync(path.join(folder, 'a.json')).mode & 0o777, 0o600);
  store.remove('a');
  store.remove('a');
  assert.deepEqual(store.load(), [record('b')]);
});

test('a torn, a strange and a half-written record are forgotten, the others stay', (t) => {
  const folder = folderFor(t);
  const store = createFileEndpointStore(folder);
  store.save(record('good'));
  writeFileSync(path.join(folder, 'torn.json'), '{"containerId":"torn","endp');
  writeFileSync(path.join(folder, 'strange.json'), '{"containerId":"strange"}');
  writeFileSync(path.join(folder, 'half.json.new'), '{');
  assert.deepEqual(store.load(), [record('good')]);
  assert.deepEqual(readdirSync(folder), ['good.json']);
});

test('no id leads out of the folder', (t) => {
  const store = createFileEndpointStore(folderFor(t));
  assert.throws(() => store.save(record('../evil')), { name: 'ZodError' });
});
