/** What every transport between the host and a window must do; run on each by `test/unit/src-main/handlers/wire.test.ts`. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { AppError } from '../../src-main/contract/errors.ts';
import { createReconnectingClient } from '../../src-main/contract/reconnecting-client.ts';
import { createWireClient, type ClientTransport, type WireClient } from '../../src-main/contract/wire-client.ts';
import type { LogLine } from '../../src-main/contract/engine.ts';
import type { Handlers } from '../../src-main/handlers/handlers.ts';
import { fakeHandlers, settle, Source, until } from '../helpers/handlers.ts';

/** A host serving these handlers. */
export interface WireHost {
  connect(): Promise<ClientTransport>;
  /** Ends all connections from the host's side, as its death would. */
  cut(): void;
  close(): Promise<void>;
}

export function wireSuite(name: string, serve: (handlers: Handlers) => Promise<WireHost>): void {
  describe(`wire over ${name}`, () => {
    const cleanups: (() => Promise<void> | void)[] = [];
    after(async () => {
      for (const cleanup of cleanups.reverse()) await cleanup();
    });

    async function start(
      overrides: Parameters<typeof fakeHandlers>[0] = {},
    ): Promise<{ host: WireHost; client: WireClient }> {
      const host = await serve(fakeHandlers(overrides));
      cleanups.push(() => host.close());
      const client = createWireClient(await host.connect());
      cleanups.push(() => client.close());
      return { host, client };
    }

    test('a call is answered with its value, several at once each with its own', async () => {
      const { client } = await start({
        calls: { 'images.inspect': ({ id }) => Promise.resolve({ ...imageDetails, id: `${id} é 🛶` }) },
      });
      const answers = await Promise.all(['a', 'b', 'c'].map((id) => client.call('images.inspect', { id })));
      assert.deepEqual(
        answers.map((answer) => answer.id),
        ['a é 🛶', 'b é 🛶', 'c é 🛶'],
      );
    });

    test('an error arrives with code, message, hint and status; a foreign one as internal', async () => {
      const { client } = await start({
        calls: {
          'containers.start': () => {
            throw new AppError('conflict', 'start web: name taken', { hint: 'Rename it.', status: 409 });
          },
          'containers.stop': () => Promise.reject(new TypeError('x is not a function')),
        },
      });
      await assert.rejects(client.call('containers.start', { id: 'web' }), {
        name: 'AppError',
        code: 'conflict',
        message: 'start web: name taken',
        hint: 'Rename it.',
        status: 409,
      });
      await assert.rejects(client.call('containers.stop', { id: 'web' }), {
        code: 'internal',
        message: /not a function/,
      });
    });

    test('wrong inputs and unknown channels are invalid-input, and the connection goes on', async () => {
      const { client } = await start();
      await assert.rejects(client.call('containers.start', { id: '' }), { code: 'invalid-input', message: /id/ });
      await assert.rejects(client.call('containers.rename', { id: 'a' } as never), { code: 'invalid-input' });
      await assert.rejects(client.call('__proto__' as 'vm.start', {}), {
        code: 'invalid-input',
        message: /no such call/,
      });
      await assert.rejects(client.call('constructor' as 'vm.start', {}), { code: 'invalid-input' });
      await assert.rejects(drain(client.open('toString' as 'vm.console', {})), { code: 'invalid-input' });
      await client.call('vm.start', {});
    });

    test('aborting a call rejects it at once and aborts the handler', async () => {
      let aborted = false;
      const { client } = await start({
        calls: {
          'vm.start': (_input, signal) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                aborted = true;
                reject(new Error('stopped'));
              });
            }),
        },
      });
      const abort = new AbortController();
      const call = client.call('vm.start', {}, abort.signal);
      await settle();
      abort.abort();
      await assert.rejects(call, { code: 'cancelled' });
      await until(() => aborted);
      await assert.rejects(client.call('vm.start', {}, AbortSignal.abort()), { code: 'cancelled' });
    });

    test('a topic gives the current value, then changes; listeners are independent', async () => {
      const images = new Source<readonly never[]>([]);
      const { client } = await start({ topics: { images } });
      const first: unknown[] = [];
      const second: unknown[] = [];
      const stopFirst = client.subscribe('images', (value) => first.push(value.length));
      await until(() => first.length === 1);
      client.subscribe('images', (value) => second.push(value.length));
      await until(() => second.length === 1);
      images.set([1 as never]);
      await until(() => first.length === 2 && second.length === 2);
      stopFirst();
      images.set([1 as never, 2 as never]);
      await until(() => second.length === 3);
      assert.deepEqual(
        [first, second],
        [
          [0, 1],
          [0, 1, 2],
        ],
      );
    });

    test('a burst of changes never loses the last value, and unsubscribing ends the listening at the host', async () => {
      const images = new Source<readonly never[]>([]);
      const { client } = await start({ topics: { images } });
      let seen = -1;
      let count = 0;
      const stop = client.subscribe('images', (value) => {
        seen = value.length;
        count += 1;
      });
      await until(() => seen === 0);
      for (let length = 1; length <= 500; length += 1) images.set(new Array(length).fill(0) as never[]);
      await until(() => seen === 500);
      assert.ok(count < 500, `the burst was not thinned: ${count} values`);
      stop();
      await until(() => images.listenerCount === 0);
    });

    test('a stream delivers every item in order and then ends', async () => {
      const { client } = await start({
        streams: {
          // eslint-disable-next-line @typescript-eslint/require-await -- a stream of ready items
          'vm.console': async function* () {
            for (let n = 0; n < 1000; n += 1) yield { data: `line ${n} ü\n` };
          },
        },
      });
      let text = '';
      for await (const { data } of client.open('vm.console', {})) text += data;
      assert.equal(text, Array.from({ length: 1000 }, (_, n) => `line ${n} ü\n`).join(''));
    });

    test('a failing stream throws its error after its items', async () => {
      const { client } = await start({
        streams: {
          // eslint-disable-next-line @typescript-eslint/require-await -- a stream of ready items
          'vm.console': async function* () {
            yield { data: 'booting' };
            throw new AppError('engine', 'read the console: it is gone');
          },
        },
      });
      const seen: string[] = [];
      await assert.rejects(
        async () => {
          for await (const { data } of client.open('vm.console', {})) seen.push(data);
        },
        { code: 'engine', message: 'read the console: it is gone' },
      );
      assert.deepEqual(seen, ['booting']);
    });

    test('a consumer that does not read holds the source back, and leaving the loop returns it', async () => {
      let produced = 0;
      let returned = false;
      const line: LogLine = { stream: 'stdout', time: '2026-01-01T00:00:00Z', text: 'x' };
      const { client } = await start({
        streams: {
          'logs.follow': async function* () {
            try {
              for (;;) {
                produced += 1;
                yield { lines: [line] };
                if (produced % 16 === 0) await settle();
              }
            } finally {
              returned = true;
            }
          },
        },
      });
      const stream = client.open('logs.follow', { containerId: 'a', tail: 'all', follow: true });
      const iterator = stream[Symbol.asyncIterator]();
      await until(() => produced > 64);
      for (let n = 0; n < 20; n += 1) await settle();
      assert.ok(produced <= 66, `${produced} items were produced with credit for 64`);
      for (let n = 0; n < 200; n += 1) assert.equal((await iterator.next()).done, false);
      assert.ok(produced > 200);
      await iterator.return?.();
      await until(() => returned);
    });

    test('messages go up in order, checked, also those sent before the handler listens', async () => {
      const received: unknown[] = [];
      const { client } = await start({
        streams: {
          'terminals.attach': async function* (_input, { onMessage, signal }) {
            await settle();
            onMessage((message) => received.push(message));
            yield { data: '$ ' };
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
          },
        },
      });
      const stream = client.open('terminals.attach', { id: 't1' });
      stream.send({ data: 'ls\r' });
      stream.send({ columns: 80, rows: 24 });
      await until(() => received.length === 2);
      assert.deepEqual(received, [{ data: 'ls\r' }, { columns: 80, rows: 24 }]);
      stream.send({ data: 5 } as never);
      await assert.rejects(drain(stream), { code: 'invalid-input' });
    });

    test('death of the host fails calls and streams with link-lost and tells the listener', async () => {
      const { host, client } = await start({
        calls: { 'vm.start': () => new Promise<void>(() => undefined) },
        streams: {
          'vm.console': async function* (_input, { signal }) {
            yield { data: 'boot' };
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
          },
        },
      });
      const reasons: string[] = [];
      client.onDisconnect((reason) => reasons.push(reason.code));
      const call = assert.rejects(client.call('vm.start', {}), { code: 'link-lost' });
      const stream = client.open('vm.console', {})[Symbol.asyncIterator]();
      await stream.next();
      const next = assert.rejects(stream.next(), { code: 'link-lost' });
      host.cut();
      await Promise.all([call, next]);
      assert.deepEqual(reasons, ['link-lost']);
      await assert.rejects(client.call('vm.start', {}), { code: 'link-lost' });
    });

    test('death of the client aborts every handler', async () => {
      const images = new Source<readonly never[]>([]);
      const ended: string[] = [];
      const { client } = await start({
        topics: { images },
        calls: {
          'vm.start': (_input, signal) =>
            new Promise((resolve) =>
              signal.addEventListener('abort', () => {
                ended.push('call');
                resolve();
              }),
            ),
        },
        streams: {
          'vm.console': async function* (_input, { signal }) {
            yield { data: 'boot' };
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
            ended.push('stream');
          },
        },
      });
      client.subscribe('images', () => undefined);
      const call = assert.rejects(client.call('vm.start', {}), { code: 'cancelled' });
      await client.open('vm.console', {})[Symbol.asyncIterator]().next();
      assert.equal(images.listenerCount, 1);
      client.close();
      await call;
      await until(() => ended.length === 2 && images.listenerCount === 0);
    });

    test('a reconnecting client renews its subscriptions and serves calls that waited', async () => {
      const images = new Source<readonly never[]>([]);
      const host = await serve(fakeHandlers({ topics: { images } }));
      cleanups.push(() => host.close());
      let refuse = 0;
      const client = createReconnectingClient(
        () => (refuse-- > 0 ? Promise.reject(new Error('not now')) : host.connect()),
        { retryDelaysMs: [1] },
      );
      cleanups.push(() => client.close());
      const seen: number[] = [];
      client.subscribe('images', (value) => seen.push(value.length));
      await until(() => seen.length === 1);
      refuse = 3;
      host.cut();
      await until(() => client.connection.kind === 'connecting');
      images.set([1 as never]);
      await client.call('vm.start', {});
      await until(() => seen.at(-1) === 1);
      assert.equal(images.listenerCount, 1);
    });
  });
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _item of items);
}

const imageDetails = {
  id: 'sha256:0',
  tags: [],
  digests: [],
  sizeBytes: 1,
  createdAtMs: 1,
  usedBy: [],
  architecture: 'amd64',
  os: 'linux',
  command: [],
  entrypoint: [],
  environment: [],
  exposedPorts: [],
  volumes: [],
  user: '',
  workingFolder: '/',
  history: [],
};
