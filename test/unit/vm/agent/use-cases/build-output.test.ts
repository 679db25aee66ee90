/** What a step of a build prints, on its way to a client that reads slowly. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { drained } from '../../../../../vm/agent/drained.ts';
import { tellOutput } from '../../../../../vm/agent/use-cases/build-run.ts';

function frame(stream: number, text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

test('a step waits while what it printed is not taken, and nothing of it is lost', async () => {
  let take = (): void => undefined;
  const said: string[] = [];
  const step = {
    say: (text: string) => void said.push(text),
    taken: () => new Promise<void>((resolve) => (take = resolve)),
  };
  const ship = Buffer.from('⛵');
  const telling = tellOutput(
    Readable.from([
      Buffer.concat([frame(1, 'one\n'), frame(1, ship.subarray(0, 1))]),
      Buffer.concat([frame(2, 'failed\n'), frame(1, ship.subarray(1))]),
      ...Array.from({ length: 10 }, (_, count) => frame(1, `${count}`)),
    ]),
    step,
  );
  await turn();
  assert.deepEqual(said, ['one\n']);
  take();
  await turn();
  assert.deepEqual(said, ['one\n', 'failed\n', '⛵']);
  const over = telling.then(() => true);
  while (!(await Promise.race([over, turn(false)]))) take();
  assert.equal(said.join(''), 'one\nfailed\n⛵0123456789');
});

test('an answer is drained when its client has read on, or has gone', async () => {
  const requests: ServerResponse[] = [];
  const server = createServer((_request, response) => {
    response.writeHead(200);
    // More than both ends' sockets hold.
    response.write(Buffer.alloc(64 * 1024 * 1024));
    requests.push(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const ask = async (): Promise<[IncomingMessage, ServerResponse]> => {
    const [message] = (await once(get({ port: (server.address() as AddressInfo).port }), 'response')) as [
      IncomingMessage,
    ];
    const response = requests.shift();
    assert.ok(response);
    message.on('error', () => undefined);
    return [message, response];
  };
  try {
    const never = new AbortController().signal;
    const [reading, slow] = await ask();
    const first = drained(slow, never).then(() => 'drained');
    assert.equal(await Promise.race([first, turn('waits')]), 'waits');
    reading.resume();
    assert.equal(await first, 'drained');
    await drained(slow, never);

    const [leaving, gone] = await ask();
    const left = new AbortController();
    gone.once('close', () => left.abort());
    const second = drained(gone, left.signal);
    leaving.destroy();
    await second;
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
