/** Images, volumes, networks and tasks, as a window sees them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { NetworkView } from '../../../../src-main/contract/networks.ts';
import type { VolumeView } from '../../../../src-main/contract/volumes.ts';
import { createBody } from '../../../../src-main/handlers/containers.ts';
import { containerSummary, json } from '../../../helpers/fake-engine.ts';
import { until } from '../../../helpers/handlers.ts';
import { startHandlers } from '../../../helpers/started-handlers.ts';
import { taskOf } from '../../../helpers/task-of.ts';

test('a pull is a task of the host: it tells its progress, outlives the window, and fails with a hint', async (t) => {
  let closed: Promise<unknown> | undefined;
  const { engine, client, newWindow } = await startHandlers(t, {
    'POST /images/create': (request, response) => {
      if (request.url?.includes('fromImage=slow')) {
        response.write('{"status":"Downloading","id":"a1","progressDetail":{"current":3,"total":9}}\n');
        closed = once(response, 'close');
        return;
      }
      response.write('{"status":"Pulling from library/nginx","id":"1.27"}\n');
      if (request.url?.includes('fromImage=nginx')) response.end('{"status":"Status: Downloaded newer image"}\n');
      else response.end('{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}\n');
    },
  });
  await client.call('images.pull', { reference: ' nginx:1.27 ' });
  await taskOf(client, 'nginx:1.27', ({ state }) => state === 'done');
  assert.ok(engine.requests.includes('POST /images/create?fromImage=nginx&tag=1.27'));
  await client.call('images.pull', { reference: 'nope' });
  const failed = await taskOf(client, 'nope:latest', ({ state }) => state === 'failed');
  assert.equal(failed.error?.code, 'not-found');
  assert.equal(failed.error.message, 'pull nope:latest: manifest unknown');
  assert.match(failed.error.hint ?? '', /spelling/);

  const first = await client.call('images.pull', { reference: 'slow' });
  client.close();
  const again = newWindow();
  const running = await taskOf(again, 'slow:latest', ({ fraction }) => fraction !== undefined);
  assert.deepEqual(running.layers[0]?.downloadedBytes, 3);
  // Asked for once more it is the same pull, and cancelling it ends it at the engine.
  assert.deepEqual(await again.call('images.pull', { reference: 'slow:latest' }), first);
  await again.call('tasks.cancel', { id: first.taskId });
  await closed;
  const cancelled = await taskOf(again, 'slow:latest', ({ state }) => state !== 'running');
  assert.deepEqual([cancelled.state, cancelled.error], ['cancelled', undefined]);
  await again.call('tasks.forget', { id: first.taskId });
  let subjects: readonly string[] = [];
  again.subscribe('tasks', (tasks) => (subjects = tasks.map(({ subject }) => subject)));
  await until(() => subjects.length === 2);
  assert.deepEqual(subjects, ['nope:latest', 'nginx:1.27']);
});

test('images are tagged and pruned by the engine’s own rules', async (t) => {
  const { engine, client } = await startHandlers(t, {
    'POST /images/sha256%3A1/tag': (_request, response) => void response.writeHead(201).end(),
    'POST /images/prune': (_request, response) => json(response, 200, { ImagesDeleted: null, SpaceReclaimed: 4096 }),
  });
  await client.call('images.tag', { id: 'sha256:1', reference: 'shop/web' });
  assert.ok(engine.requests.includes('POST /images/sha256%3A1/tag?repo=shop%2Fweb&tag=latest'));
  await assert.rejects(client.call('images.tag', { id: 'sha256:1', reference: 'a@sha256:00' }), {
    code: 'invalid-input',
  });
  await client.call('images.prune', { unused: true });
  const pruned = await taskOf(client, 'all unused images', ({ state }) => state === 'done');
  assert.equal(pruned.resultBytes, 4096);
  assert.ok(engine.requests.includes('POST /images/prune?filters=%7B%22dangling%22%3A%5B%22false%22%5D%7D'));
});

test('volumes: who uses one is read off the containers; a removal tells each that stays and why', async (t) => {
  const mount = { Type: 'volume', Name: 'data', Destination: '/var/data', RW: false };
  const { engine, client } = await startHandlers(t, {
    'GET /containers/json': (_request, response) =>
      json(response, 200, [
        {
          ...containerSummary('c1', 'db'),
          Mounts: [mount, { Type: 'bind', Name: 'data', Destination: '/elsewhere' }],
          NetworkSettings: {
            Networks: {
              bridge: {
                ...{ NetworkID: 'n1', IPAddress: '172.17.0.2', MacAddress: '02:42', GlobalIPv6Address: 'fd00::2' },
              },
            },
          },
        },
        {
          ...containerSummary('c2', 'gone', 'exited'),
          NetworkSettings: { Networks: { back: { NetworkID: '', IPAddress: '' } } },
        },
      ]),
    'GET /volumes': (_request, response) =>
      json(response, 200, {
        Volumes: [
          { Name: 'data', Driver: 'local', Mountpoint: '/v/data', CreatedAt: '2026-01-01T00:00:00Z', Labels: null },
          { Name: 'f'.repeat(64), Driver: 'local', Mountpoint: '/v/f', CreatedAt: '', Labels: {} },
        ],
      }),
    'GET /networks': (_request, response) =>
      json(response, 200, [
        { Id: 'n1', Name: 'bridge', Driver: 'bridge', IPAM: { Config: [{ Subnet: '172.17.0.0/16', Gateway: '' }] } },
        { Id: 'n2', Name: 'back', Driver: 'bridge', IPAM: null, Internal: true, EnableIPv6: true },
      ]),
    'POST /volumes/create': (_request, response) => json(response, 201, { Name: 'new' }),
    'DELETE /volumes/data': (_request, response) => json(response, 409, { message: 'volume is in use - [c1]' }),
    'DELETE /volumes/old': (_request, response) => void response.writeHead(204).end(),
  });
  let volumes: readonly VolumeView[] = [];
  let networks: readonly NetworkView[] = [];
  client.subscribe('volumes', (value) => (volumes = value));
  client.subscribe('networks', (value) => (networks = value));
  await until(() => volumes.length === 2 && networks.length === 2 && volumes[0]?.usedBy.length === 1);
  assert.deepEqual(volumes[0]?.usedBy, [{ id: 'c1', name: 'db', state: 'running', path: '/var/data', readOnly: true }]);
  assert.deepEqual(
    volumes.map(({ anonymous }) => anonymous),
    [false, true],
  );
  assert.deepEqual(
    networks.map(({ name, builtIn, members }) => [name, builtIn, members.map((member) => member.name)]),
    [
      ['bridge', true, ['db']],
      ['back', false, ['gone']],
    ],
  );
  assert.equal(networks[0]?.members[0]?.ipAddress, '172.17.0.2');
  assert.equal(networks[0].members[0].ip6Address, 'fd00::2');
  assert.deepEqual(
    networks.map(({ ipv6 }) => ipv6),
    [false, true],
  );
  assert.deepEqual(await client.call('volumes.create', { name: 'new', labels: { a: '1' } }), { name: 'new' });
  assert.deepEqual(engine.bodies.at(engine.requests.indexOf('POST /volumes/create')), {
    Name: 'new',
    Labels: { a: '1' },
  });
  await assert.rejects(client.call('volumes.create', { name: 'data', labels: {} }), { code: 'conflict' });
  const removal = await client.call('volumes.remove', { names: ['data', 'old', 'unheard-of'] });
  assert.deepEqual(removal, {
    removed: ['old', 'unheard-of'],
    kept: [{ name: 'data', reason: 'remove data: volume is in use - [c1]' }],
  });
});

test('networks are made as asked, joined and left; a refusal to remove one says why', async (t) => {
  const { engine, client } = await startHandlers(t, {
    'GET /networks': (_request, response) => json(response, 200, [{ Id: 'n1', Name: 'back', Driver: 'bridge' }]),
    'POST /networks/create': (_request, response) => json(response, 201, { Id: 'n2', Warning: '' }),
    'DELETE /networks/n1': (_request, response) =>
      json(response, 403, { message: 'network back has active endpoints' }),
    'DELETE /networks/n2': (_request, response) => void response.writeHead(204).end(),
    'POST /networks/n1/connect': (_request, response) => void response.writeHead(200).end(),
    'POST /networks/n1/disconnect': (_request, response) => json(response, 403, { message: 'not connected' }),
  });
  const bodyOf = (route: string) => engine.bodies[engine.requests.indexOf(route)];
  let networks: readonly NetworkView[] = [];
  client.subscribe('networks', (value) => (networks = value));
  await until(() => networks.length === 1);
  const wanted = {
    ...{ name: 'front', subnet: '10.9.0.0/24', gateway: '', internal: true, labels: { a: '1' } },
    ...{ ipv6: true, subnet6: 'fd00:9::/64' },
  };
  assert.deepEqual(await client.call('networks.create', wanted), { id: 'n2' });
  assert.deepEqual(bodyOf('POST /networks/create'), {
    Name: 'front',
    Internal: true,
    EnableIPv6: true,
    Labels: { a: '1' },
    IPAM: { Config: [{ Subnet: '10.9.0.0/24' }, { Subnet: 'fd00:9::/64' }] },
  });
  await client.call('networks.connect', { id: 'n1', containerId: 'c1', aliases: ['db'] });
  assert.deepEqual(bodyOf('POST /networks/n1/connect'), { Container: 'c1', EndpointConfig: { Aliases: ['db'] } });
  await assert.rejects(client.call('networks.disconnect', { id: 'n1', containerId: 'c1' }), {
    message: 'disconnect from back: not connected',
  });
  assert.deepEqual(await client.call('networks.remove', { ids: ['n1', 'n2', 'unheard-of'] }), {
    removed: ['n2', 'unheard-of'],
    kept: [{ name: 'n1', reason: 'remove back: network back has active endpoints' }],
  });
});

test('a container is made with volumes by name, on the network asked for', () => {
  const volumes = [{ name: 'data', path: '/srv', readOnly: true }];
  const plain = createBody({ image: 'a' })['HostConfig'];
  assert.deepEqual(createBody({ image: 'a', volumes, network: 'shop' })['HostConfig'], {
    ...(plain as object),
    NetworkMode: 'shop',
    Mounts: [{ Type: 'volume', Source: 'data', Target: '/srv', ReadOnly: true }],
  });
});
