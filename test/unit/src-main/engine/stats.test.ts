import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineClient } from '../../../../src-main/engine/client.ts';
import { containerSummaries, toContainerView } from '../../../../src-main/engine/api.ts';
import { StatsFeed } from '../../../../src-main/engine/stats-feed.ts';
import { statsMessage, toStatsSample } from '../../../../src-main/engine/stats.ts';
import { statsStream } from '../../../../src-main/handlers/stats.ts';
import { containerSummary, fakeEngine } from '../../../helpers/fake-engine.ts';
import { until } from '../../../helpers/handlers.ts';

/** As the agent writes it; second `at` of a container that uses half a CPU of two. */
const reading = (at: number, values: Record<string, unknown> = {}) => ({
  read: new Date(1_700_000_000_000 + at * 1000).toISOString(),
  pids_stats: { current: 7 },
  cpu_stats: { cpu_usage: { total_usage: at * 5e8 }, system_cpu_usage: 1e12 + at * 2e9, online_cpus: 2 },
  memory_stats: { usage: 50_000_000, limit: 268_435_456, stats: { inactive_file: 8_000_000 } },
  blkio_stats: {
    io_service_bytes_recursive: [
      { op: 'read', value: at * 1000 },
      { op: 'write', value: at * 10 },
      { op: 'read', value: at * 1000 },
    ],
  },
  networks: { eth0: { rx_bytes: at * 300, tx_bytes: at * 40 }, eth1: { rx_bytes: at * 3, tx_bytes: 0 } },
  ...values,
});
const parse = (value: unknown) => statsMessage.parse(value);
/** What the agent writes of a container that does not run. */
const stopped = {
  read: '0001-01-01T00:00:00Z',
  cpu_stats: { cpu_usage: { total_usage: 0 }, throttling_data: {} },
  memory_stats: {},
  pids_stats: {},
  blkio_stats: {},
};

test('two readings make a sample of rates', () => {
  assert.deepEqual(toStatsSample(parse(reading(1)), parse(reading(3))), {
    timeMs: 1_700_000_003_000,
    cpuPercent: 50,
    memoryBytes: 42_000_000,
    memoryLimitBytes: 268_435_456,
    receivedPerS: 303,
    sentPerS: 40,
    readPerS: 2000,
    writtenPerS: 10,
    processes: 7,
  });
});

test('what makes no rate makes no sample', () => {
  assert.equal(toStatsSample(parse(stopped), parse(reading(1))), undefined);
  assert.equal(toStatsSample(parse(reading(1)), parse(stopped)), undefined);
  assert.equal(toStatsSample(parse(reading(2)), parse(reading(2))), undefined);
  assert.equal(toStatsSample(parse(reading(3)), parse(reading(2))), undefined);
});

test('all who look share one stream, which ends with the last; the history stays', async (t) => {
  let open = 0;
  let send: (value: unknown) => void = () => undefined;
  const engine = await fakeEngine(t, {
    'GET /containers/c1/stats': (_request, response) => {
      open += 1;
      response.once('close', () => (open -= 1));
      response.writeHead(200);
      send = (value) => response.write(`${JSON.stringify(value)}\n`);
      for (const at of [1, 2]) send(reading(at));
    },
  });
  const client = new EngineClient(engine);
  const feed = new StatsFeed(client);
  t.after(async () => {
    await feed.close();
    client.close();
  });
  const seen: number[] = [];
  const stopFirst = feed.watch('c1', (_id, sample) => seen.push(sample.timeMs));
  const stopSecond = feed.watch('c1', () => undefined);
  await until(() => seen.length === 1);
  assert.equal(open, 1);
  stopFirst();
  send(reading(3));
  await until(() => feed.history('c1', 0).length === 2);
  assert.equal(seen.length, 1);
  stopSecond();
  await until(() => open === 0);
  assert.equal(feed.history('c1', 0).length, 2);
  assert.equal(feed.history('c1', 1_700_000_003_000).length, 1);

  // A window: the history first, then what comes; a changed set ends and begins streams.
  const gone = new AbortController();
  let change: (message: { ids: readonly string[] }) => void = () => undefined;
  const items = statsStream(feed)(
    { ids: ['c1'], historyS: 3600 * 24 * 36500 },
    { signal: gone.signal, onMessage: (listener) => (change = listener) },
  )[Symbol.asyncIterator]();
  const first = (await items.next()).value as { containers: { id: string; samples: unknown[] }[] };
  assert.deepEqual(
    first.containers.map(({ id, samples }) => [id, samples.length >= 2]),
    [['c1', true]],
  );
  await until(() => open === 1);
  change({ ids: [] });
  await until(() => open === 0);
  gone.abort();
  for (let done = false; !done;) done = (await items.next()).done ?? false;
});

test('a stream that breaks is opened again', async (t) => {
  let opened = 0;
  const engine = await fakeEngine(t, {
    'GET /containers/c1/stats': (_request, response) => {
      opened += 1;
      response.writeHead(200).end(`${JSON.stringify(reading(opened))}\nnot JSON\n`);
    },
  });
  const client = new EngineClient(engine);
  const feed = new StatsFeed(client);
  const stop = feed.watch('c1', () => undefined);
  await until(() => opened === 2);
  stop();
  await feed.close();
  client.close();
});

test('health is read from the words of the list', () => {
  const view = (Status: string) => {
    const [summary] = containerSummaries.parse([{ ...containerSummary('c1', 'web'), Status }]);
    assert.ok(summary);
    return toContainerView(summary).health;
  };
  assert.equal(view('Up 3 minutes'), undefined);
  assert.equal(view('Up 3 minutes (healthy)'), 'healthy');
  assert.equal(view('Up 3 minutes (unhealthy)'), 'unhealthy');
  assert.equal(view('Up 2 seconds (health: starting)'), 'starting');
  assert.equal(view('Up 3 minutes (Paused)'), undefined);
});
