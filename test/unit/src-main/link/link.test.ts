import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { PassThrough, type Duplex, type Readable } from 'node:stream';
import { test } from 'node:test';
import type { ServerChannel } from 'ssh2';
import { AppError } from '../../../../src-main/contract/errors.ts';
import { Link } from '../../../../src-main/link/link.ts';
import { SshSession } from '../../../../src-main/link/session.ts';
import { makeKeys, startFakeGuest, type FakeGuest, type FakeGuestOptions } from '../../../helpers/ssh-guest.ts';

const keepAlive = { intervalMs: 5000, misses: 3 };

async function linkTo(guest: FakeGuest): Promise<Link> {
  const link = new Link();
  await link.connect(guest.target);
  await link.waitUp(10_000);
  return link;
}

function echoAfterEnd(channel: ServerChannel): void {
  void buffer(channel).then((all) => channel.end(all));
}

for (const chunkBytes of [1, 321, 1_000_000]) {
  test(`bytes and half-close pass both ways in chunks of ${chunkBytes}`, async () => {
    await using guest = await startFakeGuest({ engine: echoAfterEnd });
    await using link = await linkTo(guest);
    const stream = await link.connectEngine('stream');
    const sent = randomBytes(chunkBytes === 1 ? 3000 : 1_000_000);
    const received = buffer(stream);
    for (let at = 0; at < sent.length; at += chunkBytes) {
      if (!stream.write(sent.subarray(at, at + chunkBytes))) await once(stream, 'drain');
    }
    // The guest answers only after our EOF: without half-close this would hang or come back empty.
    stream.end();
    assert.equal(sha(await received), sha(sent));
    assert.deepEqual(guest.paths, ['/run/wherry/docker.sock']);
  });
}

test('the guest may finish first while we still send', async () => {
  const got = new PassThrough();
  await using guest = await startFakeGuest({
    engine: (channel) => {
      channel.write('early');
      // Only EOF: ssh2's end() would close the channel whole on the server side.
      channel.eof();
      channel.pipe(got);
    },
  });
  await using link = await linkTo(guest);
  const stream = await link.connectEngine('control');
  assert.equal((await buffer(stream)).toString(), 'early');
  stream.end('late');
  assert.equal((await buffer(got)).toString(), 'late');
});

test('a cut under load ends streams with link-lost and the link comes back', async () => {
  const options: FakeGuestOptions = { engine: flood };
  await using guest = await startFakeGuest(options);
  await using link = await linkTo(guest);
  const ups = { count: 0 };
  link.onUp(() => ups.count++);
  const streams = await Promise.all(Array.from({ length: 5 }, () => link.connectEngine('stream')));
  await Promise.all(streams.map((stream) => once(stream, 'data')));
  const outcomes = streams.map((stream) => outcome(stream));
  guest.cut();
  for (const error of await Promise.all(outcomes)) {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'link-lost');
  }
  const again = await link.connectEngine('stream');
  await once(again, 'data');
  again.destroy();
  if (ups.count === 0) await new Promise<void>((resolve) => link.onUp(resolve));
});

test('a stream that the guest had finished before the cut is whole, not lost', async () => {
  await using guest = await startFakeGuest({ engine: (channel) => channel.end('whole answer') });
  await using link = await linkTo(guest);
  const stream = await link.connectEngine('control');
  stream.on('error', () => undefined);
  await once(stream, 'readable');
  await new Promise((resolve) => setTimeout(resolve, 50));
  guest.cut();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal((await buffer(stream)).toString(), 'whole answer');
});

test('destroying a stream frees its channel at both ends', async () => {
  const closed: Promise<unknown>[] = [];
  await using guest = await startFakeGuest({
    engine: (channel) => {
      closed.push(once(channel, 'close'));
      flood(channel);
    },
  });
  const session = await SshSession.open(guest.target, keepAlive);
  const stream = await session.openEngine();
  await once(stream, 'data');
  assert.equal(session.channels, 1);
  stream.destroy();
  await once(stream, 'close');
  await closed[0];
  assert.equal(session.channels, 0);
  session.destroy('test over');
  await session.closed;
});

test('a refused stream is an error and the link stays up', async () => {
  await using guest = await startFakeGuest();
  await using link = await linkTo(guest);
  await assert.rejects(link.connectEngine('control'), { code: 'unavailable' });
  assert.equal(link.state, 'up');
});

test('another host key is refused', async () => {
  await using guest = await startFakeGuest();
  const other = await startFakeGuest();
  await other[Symbol.asyncDispose]();
  await assert.rejects(SshSession.open({ ...guest.target, hostKey: other.target.hostKey }, keepAlive), {
    code: 'link-lost',
  });
});

test('a client key the guest does not know is refused', async () => {
  await using guest = await startFakeGuest();
  const clientKey = makeKeys().client.private;
  await assert.rejects(SshSession.open({ ...guest.target, clientKey }, keepAlive), { code: 'link-lost' });
});

test('a port that accepts and says nothing is given up and tried again', async () => {
  const keys = makeKeys();
  let accepted = 0;
  const mute = net.createServer((socket) => {
    accepted++;
    socket.on('error', () => undefined);
  });
  mute.listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const { port } = mute.address() as AddressInfo;
  const reference = await startFakeGuest({ keys });
  const target = { ...reference.target, port };
  await reference[Symbol.asyncDispose]();
  await using link = new Link();
  await link.connect(target);
  while (accepted < 2) await new Promise((resolve) => setTimeout(resolve, 50));
  const closed = once(mute, 'close');
  mute.close();
  await closed;
  await using guest = await startFakeGuest({ keys, port, engine: (channel) => channel.end('hello') });
  await link.waitUp(10_000);
  assert.equal((await buffer(await link.connectEngine('control'))).toString(), 'hello');
  assert.equal(guest.connections.size, 1);
});

test('aborted handshakes leave nothing behind', async () => {
  await using guest = await startFakeGuest();
  for (let round = 0; round < 10; round++) {
    const controller = new AbortController();
    const opening = SshSession.open(guest.target, keepAlive, controller.signal);
    setTimeout(() => controller.abort(new Error('enough')), round * 3);
    await opening.then(
      (session) => session.destroy('late'),
      () => undefined,
    );
  }
  while (guest.connections.size > 0) await new Promise((resolve) => setTimeout(resolve, 20));
});

test('a shell passes bytes, window size, stderr and the exit code', async () => {
  const windows: number[][] = [];
  await using guest = await startFakeGuest({
    onWindow: (rows, columns) => windows.push([rows, columns]),
    shell: (channel, command) => {
      channel.stderr.write('warned');
      channel.on('data', (chunk: Buffer) => {
        channel.write(`${command ?? 'shell'}: ${chunk.toString()}`);
        channel.exit(7);
        channel.end();
      });
    },
  });
  await using link = await linkTo(guest);
  const shell = await link.openGuestShell({ command: 'id', pty: { columns: 80, rows: 24, term: 'xterm' } });
  shell.resize(132, 50);
  shell.stdio.write('x');
  assert.equal((await buffer(shell.stderr)).toString(), 'warned');
  assert.equal((await buffer(shell.stdio)).toString(), 'id: x');
  assert.equal(await shell.exited, 7);
  assert.deepEqual(windows, [[50, 132]]);
});

test('without a VM a stream is refused at once', async () => {
  await using link = new Link();
  await assert.rejects(link.connectEngine('control'), { code: 'vm-absent' });
});

test('taking the link down ends the waiting', async () => {
  const link = new Link();
  const unused = net.createServer();
  unused.listen(0, '127.0.0.1');
  await once(unused, 'listening');
  const { port } = unused.address() as AddressInfo;
  unused.close();
  await link.connect({ host: '127.0.0.1', port, hostKey: Buffer.alloc(0), clientKey: makeKeys().client.private });
  const waiting = link.connectEngine('bulk');
  const refused = assert.rejects(waiting, { code: 'link-lost' });
  await link[Symbol.asyncDispose]();
  await refused;
});

function flood(channel: ServerChannel): void {
  channel.resume();
  channel.on('error', () => undefined);
  const more = (): void => {
    while (channel.writable && channel.write(Buffer.alloc(32 * 1024, 120)));
  };
  channel.on('drain', more);
  more();
}

async function outcome(stream: Duplex): Promise<unknown> {
  try {
    for await (const _ of stream);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Unlike node:stream/consumers this leaves the writable side open. */
async function buffer(stream: Readable | NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}

function sha(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
