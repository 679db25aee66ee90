import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { EngineClient } from '../../../../src-main/engine/client.ts';
import { EngineFeed } from '../../../../src-main/engine/events.ts';
import { containerSummary, fakeEngine, json } from '../../../helpers/fake-engine.ts';
import { settle, Source, until } from '../../../helpers/handlers.ts';
import { fakeServices, vmView } from '../../../helpers/services.ts';

const image = { Id: 'sha256:1', RepoTags: ['nginx:1'], RepoDigests: ['<none>@<none>'], Size: 10, Created: 1 };
const event = (action: string, timeNano: number) =>
  `${JSON.stringify({ Type: 'container', Action: action, Actor: { ID: 'c1', Attributes: { name: 'web' } }, timeNano })}\n`;

test('lists follow the events, thinned; a lost stream is resumed and the lists are read anew', async (t) => {
  let containers = [containerSummary('c1', 'web')];
  let listings = 0;
  const streams: ServerResponse[] = [];
  const engine = await fakeEngine(t, {
    'GET /events': (_request, response) => {
      response.writeHead(200).flushHeaders();
      streams.push(response);
    },
    'GET /containers/json': (_request, response) => {
      listings += 1;
      json(response, 200, containers);
    },
    'GET /images/json': (_request, response) => json(response, 200, [image]),
  });
  const vm = new Source(vmView('absent'));
  const client = new EngineClient(engine);
  t.after(() => client.close());
  const feed = new EngineFeed(client, fakeServices({ vm }).vm);
  t.after(() => feed.close());
  await settle();
  assert.deepEqual([feed.containers.current, engine.requests], [[], []]);

  vm.set(vmView('ready'));
  await until(() => feed.images.current[0]?.usedBy.length === 1);
  assert.deepEqual(feed.images.current[0]?.usedBy, ['web']);
  assert.deepEqual(feed.images.current[0].digests, []);
  assert.deepEqual(feed.containers.current[0]?.ports, [
    { containerPort: 80, protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 8080 },
    { containerPort: 443, protocol: 'tcp' },
  ]);

  const seen: string[] = [];
  feed.onEvent(({ action }) => seen.push(action));
  const before = listings;
  containers = [containerSummary('c1', 'web', 'exited')];
  for (let n = 1; n <= 50; n += 1) streams[0]?.write(event(n === 50 ? 'die' : `exec_start: sh`, n * 1000));
  await until(() => feed.containers.current[0]?.state === 'exited' && seen.length === 50);
  assert.ok(listings - before <= 4, `${listings - before} listings for one burst`);

  containers = [containerSummary('c1', 'web'), containerSummary('c2', 'db')];
  engine.cut();
  await until(() => feed.containers.current.length === 2);
  await until(() => streams.length === 2);
  assert.ok(engine.requests.includes('GET /events?since=0.000050000'), engine.requests.join('\n'));
  // The resumed stream repeats the event it was resumed from.
  streams[1]?.write(event('die', 50_000) + event('start', 60_000));
  await until(() => seen.length === 51);
  assert.equal(seen.at(-1), 'start');

  vm.set(vmView('absent'));
  await until(() => feed.containers.current.length === 0 && feed.images.current.length === 0);
});

test('a list that cannot be read keeps what was last known, and is read when it can be', async (t) => {
  let broken = false;
  const engine = await fakeEngine(t, {
    'GET /events': (_request, response) => response.writeHead(200).flushHeaders(),
    'GET /containers/json': (_request, response) =>
      broken
        ? json(response, 500, { message: 'database is locked' })
        : json(response, 200, [containerSummary('c1', 'web')]),
    'GET /images/json': (_request, response) => json(response, 200, []),
  });
  const client = new EngineClient(engine);
  t.after(() => client.close());
  const feed = new EngineFeed(client, fakeServices({ vm: new Source(vmView('ready')) }).vm);
  t.after(() => feed.close());
  await until(() => feed.containers.current.length === 1);
  broken = true;
  feed.refresh('containers');
  await until(() => engine.requests.filter((request) => request.includes('containers')).length > 2);
  assert.equal(feed.containers.current.length, 1);
});

test('the words of a container that has just started grow old with it', async (t) => {
  let listings = 0;
  const engine = await fakeEngine(t, {
    'GET /events': (_request, response) => response.writeHead(200).flushHeaders(),
    'GET /containers/json': (_request, response) => {
      listings += 1;
      const Status = listings === 1 ? 'Up Less than a second' : 'Up 2 seconds';
      json(response, 200, [{ ...containerSummary('c1', 'web'), Status }]);
    },
    'GET /images/json': (_request, response) => json(response, 200, []),
  });
  const client = new EngineClient(engine);
  t.after(() => client.close());
  const feed = new EngineFeed(client, fakeServices({ vm: new Source(vmView('ready')) }).vm);
  t.after(() => feed.close());
  t.after(feed.containers.onChange(() => undefined));
  await until(() => feed.containers.current[0]?.status === 'Up Less than a second');
  await until(() => feed.containers.current[0]?.status === 'Up 2 seconds');
});
