import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import type { FailedPort, PortMessageToHost, WantedPort } from '../../../../../vm/contract/wherry-api.ts';
import { createPortLink, type PortLink } from '../../../../../vm/agent/network/port-link.ts';

const port = (hostPort: number): WantedPort => ({
  protocol: 'tcp',
  hostIp: '127.0.0.1',
  hostPort,
  guestPort: 40000 + hostPort,
  containerId: 'c',
});

/** The host's end: reads messages one by one, and answers as told. */
class Host {
  readonly stream: Duplex;
  readonly #messages: PortMessageToHost[] = [];
  #wake: () => void = () => undefined;
  readonly #far: Duplex;

  constructor() {
    const [near, far] = duplexPair();
    this.stream = near;
    this.#far = far;
    let rest = '';
    far.setEncoding('utf8');
    far.on('error', () => undefined);
    far.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      this.#messages.push(...lines.map((line) => JSON.parse(line) as PortMessageToHost));
      this.#wake();
    });
  }

  async next(): Promise<PortMessageToHost> {
    while (this.#messages.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    const message = this.#messages.shift();
    assert.ok(message !== undefined);
    return message;
  }

  done(id: number, failed: readonly FailedPort[] = []): void {
    this.write(`${JSON.stringify({ kind: 'done', id, failed })}\n`);
  }

  write(text: string): void {
    this.#far.write(text);
  }

  async attach(link: PortLink): Promise<readonly WantedPort[]> {
    link.serve(this.stream);
    const message = await this.next();
    assert.ok(message.kind === 'sync');
    this.done(message.id);
    return message.ports;
  }
}

/** Two ends of one connection; either's end or destruction closes the other. */
function duplexPair(): [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read: () => undefined,
      write(chunk, _encoding, callback) {
        other().push(chunk);
        callback();
      },
      final(callback) {
        other().push(null);
        callback();
      },
      destroy(error, callback) {
        setImmediate(() => other().destroy());
        callback(error);
      },
    });
  const near: Duplex = make(() => far);
  const far: Duplex = make(() => near);
  return [near, far];
}

function start(t: TestContext, deadlineMs = 60_000) {
  const settled: [number, string | undefined][] = [];
  const link = createPortLink({
    deadlineMs,
    onSettled: (one, failed) => settled.push([one.hostPort, failed?.message]),
  });
  t.after(() => link.close());
  return { link, settled };
}
const failed = (one: WantedPort, reason: FailedPort['reason'] = 'taken'): FailedPort => ({
  port: one,
  reason,
  message: 'port 80 is held by nginx (pid 7)',
});

test('without a host a port is pending; a host that comes is told, and how it went is reported', async (t) => {
  const { link, settled } = start(t);
  assert.deepEqual(await link.add(port(80)), { kind: 'pending' });
  assert.deepEqual(await link.add(port(81)), { kind: 'pending' });
  const host = new Host();
  link.serve(host.stream);
  const sync = await host.next();
  assert.ok(sync.kind === 'sync');
  assert.deepEqual(sync.ports, [port(80), port(81)]);
  host.done(sync.id, [failed(port(81))]);
  while (settled.length < 2) await new Promise(setImmediate);
  assert.deepEqual(settled, [
    [80, undefined],
    [81, 'port 80 is held by nginx (pid 7)'],
  ]);
});

test('a port is bound, or refused and then no longer wanted', async (t) => {
  const { link } = start(t);
  const host = new Host();
  assert.deepEqual(await host.attach(link), []);
  const good = link.add(port(80));
  const bad = link.add(port(81));
  const first = await host.next();
  const second = await host.next();
  host.done(second.id, [failed(port(81))]);
  host.done(first.id);
  assert.deepEqual(await good, { kind: 'bound' });
  assert.deepEqual(await bad, { kind: 'failed', reason: 'taken', message: 'port 80 is held by nginx (pid 7)' });
  assert.deepEqual(await new Host().attach(link), [port(80)]);
});

test('the answer is lost with the connection: the next sync settles it', async (t) => {
  const { link } = start(t);
  const host = new Host();
  await host.attach(link);
  const adding = link.add(port(80));
  await host.next();
  host.stream.destroy();
  await once(host.stream, 'close');
  assert.deepEqual(await new Host().attach(link), [port(80)]);
  assert.deepEqual(await adding, { kind: 'bound' });
});

test('the host goes away for good while asked: the port is pending, and still wanted', async (t) => {
  const { link } = start(t, 50);
  const host = new Host();
  await host.attach(link);
  const adding = link.add(port(80));
  await host.next();
  host.stream.destroy();
  assert.deepEqual(await adding, { kind: 'pending' });
  assert.deepEqual(await new Host().attach(link), [port(80)]);
});

test('a silent host is cut off: the port is refused, and not among those of the next sync', async (t) => {
  const { link } = start(t, 50);
  const host = new Host();
  await host.attach(link);
  const outcome = await link.add(port(80));
  assert.deepEqual(outcome, { kind: 'failed', reason: 'other', message: 'the host did not answer in time' });
  assert.ok(host.stream.destroyed);
  assert.deepEqual(await new Host().attach(link), []);
});

test('removal waits for the host, but not for one that is silent or away', async (t) => {
  const { link } = start(t, 50);
  await link.add(port(80));
  await link.add(port(81));
  await link.add(port(82));
  await link.remove(port(82));
  const host = new Host();
  assert.deepEqual(await host.attach(link), [port(80), port(81)]);
  let removed = false;
  const removing = link.remove(port(80)).then(() => (removed = true));
  const message = await host.next();
  assert.deepEqual([message.kind, removed], ['remove', false]);
  host.done(message.id);
  await removing;
  await link.remove(port(81));
  assert.ok(host.stream.destroyed, 'it did not answer');
  assert.deepEqual(await new Host().attach(link), []);
});

test('a newer host replaces an older one, whose answers count no more', async (t) => {
  const { link } = start(t);
  const older = new Host();
  await older.attach(link);
  const adding = link.add(port(80));
  const asked = await older.next();
  const newer = new Host();
  link.serve(newer.stream);
  const sync = await newer.next();
  older.done(asked.id, [failed(port(80))]);
  newer.done(sync.id);
  assert.deepEqual(await adding, { kind: 'bound' });
  assert.ok(older.stream.destroyed);
  assert.ok(!newer.stream.destroyed);
});

for (const [what, text] of [
  ['no JSON', 'hello\n'],
  ['another message', '{"kind":"sync","id":1,"ports":[]}\n'],
  ['a line without end', 'x'.repeat(5 << 20)],
] as const) {
  test(`a host that speaks something else is cut off: ${what}`, async (t) => {
    const { link } = start(t);
    const host = new Host();
    await host.attach(link);
    host.write(text);
    await once(host.stream, 'close');
    assert.deepEqual(await link.add(port(80)), { kind: 'pending' });
  });
}

test('a connection handed over paused is read all the same', async (t) => {
  const { link } = start(t);
  const host = new Host();
  host.stream.pause();
  await host.attach(link);
  const adding = link.add(port(80));
  host.done((await host.next()).id);
  assert.deepEqual(await adding, { kind: 'bound' });
});

test('an answer to what was not asked is ignored; lines may come in pieces', async (t) => {
  const { link } = start(t);
  const host = new Host();
  await host.attach(link);
  host.done(999, [failed(port(80))]);
  const adding = link.add(port(80));
  const { id } = await host.next();
  for (const character of `{"kind":"done","id":${id},"failed":[]}\n`) host.write(character);
  assert.deepEqual(await adding, { kind: 'bound' });
});
