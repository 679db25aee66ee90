import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Filters } from '../../../../../vm/agent/filters.ts';
import { listContainers, listFilterNames } from '../../../../../vm/agent/use-cases/list-containers.ts';
import { startContainer } from '../../../../../vm/agent/use-cases/start-container.ts';
import { makeEngine } from '../../../../helpers/engine-parts.ts';

test('filters of ports mean those that are open now: published outside, exposed inside', async (t) => {
  const engine = await makeEngine(t);
  const web = await engine.create('web', { ExposedPorts: { '80/tcp': {}, '53/udp': {} } });
  await engine.create('stopped', { ExposedPorts: { '80/tcp': {} } });
  await startContainer(engine.parts, web);
  const network = {
    ...engine.parts.network,
    portsOf: (id: string) =>
      id === web
        ? [
            {
              ...{ protocol: 'tcp' as const, containerPort: 80, hostIp: '127.0.0.1', hostPort: 8080 },
              ...{ state: 'bound' as const, detail: '' },
            },
          ]
        : [],
  };
  const named = async (filter: 'expose' | 'publish', ...wanted: string[]): Promise<string[]> => {
    const filters = Filters.parse(JSON.stringify({ [filter]: wanted }), listFilterNames);
    const request = { all: true, limit: 0, size: false, filters };
    const list = (await listContainers({ ...engine.parts, network }, request)) as { Names: string[] }[];
    return list.flatMap(({ Names }) => Names);
  };
  assert.deepEqual(await named('publish', '8080'), ['/web']);
  assert.deepEqual(await named('publish', '80'), []);
  assert.deepEqual(await named('publish', '80', '8000-9000/tcp'), ['/web']);
  assert.deepEqual(await named('publish', '8080/udp'), []);
  assert.deepEqual(await named('expose', '80'), ['/web']);
  assert.deepEqual(await named('expose', '53/udp'), ['/web'], 'whether published or not');
  assert.deepEqual(await named('expose', '8080'), []);
});
