/** The ports of a VM that sleeps, over real sockets of the loopback. */
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { checkBind } from '../../../../src-main/ports/bind-check.ts';
import { WakingPorts } from '../../../../src-main/ports/waking-ports.ts';
import type { HostPort } from '../../../../src-main/vm/backend.ts';
import { until } from '../../../helpers/until.ts';

async function freePort(hostIp = '127.0.0.1'): Promise<HostPort> {
  const server = net.createServer().listen({ host: hostIp, port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return { protocol: 'tcp', hostIp, hostPort: port };
}

/** What answers at a port once the VM is awake: after its client's end, with what it was told. */
async function serve({ hostIp, hostPort }: HostPort): Promise<AsyncDisposable> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    let told = '';
    socket.on('data', (chunk: Buffer) => (told += chunk.toString()));
    socket.on('end', () => socket.end(`told ${told}`));
  });
  server.listen({ host: hostIp, port: hostPort, ipv6Only: true });
  await once(server, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

function ask({ hostPort }: HostPort, words: string, host = '127.0.0.1'): Promise<string> {
  const socket = net.connect({ host, port: hostPort, allowHalfOpen: true });
  socket.end(words);
  return text(socket);
}

/** Which of the two depends on who is first, the reset or what the client writes. */
const cutOff = ({ code }: NodeJS.ErrnoException): boolean => code === 'ECONNRESET' || code === 'EPIPE';

/** A VM that wakes when it is told to. */
function sleeper() {
  let [resolve, reject] = [(): void => undefined, (_cause: Error): void => undefined];
  const promise = new Promise<void>((yes, no) => ([resolve, reject] = [yes, no]));
  promise.catch(() => undefined);
  let asked = 0;
  const ports = new WakingPorts(() => {
    asked++;
    return promise;
  });
  return { ports, resolve, reject, asked: () => asked };
}

for (const [bound, reached] of [
  ['127.0.0.1', '127.0.0.1'],
  ['0.0.0.0', '127.0.0.1'],
  ['::1', '::1'],
  ['::', '::1'],
] as const) {
  test(`clients of ${bound} wake the VM, are held meanwhile, and answered by it`, async () => {
    const { ports, asked, resolve } = sleeper();
    await using _ = ports;
    const port = await freePort(bound);
    await ports.hold([port]);
    await ports.hold([port]);
    const long = 'x'.repeat(300_000);
    const answers = Promise.all([ask(port, 'one', reached), ask(port, long, reached)]);
    await until('both ask', () => asked() === 2);
    resolve();
    await ports.release(port);
    assert.equal(await checkBind(port), undefined, 'it is free, with clients held');
    await using _guest = await serve(port);
    ports.join(port);
    const [short, whole] = await answers;
    assert.equal(short, 'told one');
    assert.ok(whole === `told ${long}`);
    assert.equal(await ask(port, 'two', reached), 'told two', 'later ones go there straight');
    assert.equal(asked(), 2);
  });
}

test('a VM that does not wake: its clients are cut off, the next one tries again', async () => {
  const { ports, asked, reject } = sleeper();
  await using _ = ports;
  const port = await freePort();
  await ports.hold([port]);
  reject(new Error('no'));
  await assert.rejects(ask(port, 'one'), cutOff);
  await assert.rejects(ask(port, 'two'), cutOff);
  assert.equal(asked(), 2);
});

test('dropped: nobody listens, and who waited is cut off', async () => {
  const { ports, asked } = sleeper();
  const [port, other] = [await freePort(), await freePort()];
  await ports.hold([port, other]);
  const waiting = ask(port, 'one');
  waiting.catch(() => undefined);
  await until('it asks', () => asked() === 1);
  await ports.drop();
  await assert.rejects(waiting, cutOff);
  await assert.rejects(ask(port, 'late'), { code: 'ECONNREFUSED' });
  await assert.rejects(ask(other, 'late'), { code: 'ECONNREFUSED' });
});

test('a port that another program has taken meanwhile is left to it', async () => {
  const { ports, asked } = sleeper();
  await using _ = ports;
  const [port, other] = [await freePort(), await freePort()];
  await using _taken = await serve(port);
  await ports.hold([port, other]);
  assert.equal(await ask(port, 'you'), 'told you');
  assert.equal(asked(), 0);
  await ports.release(port);
  ports.join(port);
  const waiting = ask(other, 'one');
  waiting.catch(() => undefined);
  await until('the other one wakes it', () => asked() === 1);
});

test('taken back while it is still being opened', async () => {
  const { ports } = sleeper();
  const port = await freePort();
  const holding = ports.hold([port]);
  await ports.release(port);
  await holding;
  assert.equal(await checkBind(port), undefined);
});

test('a datagram wakes it too', async () => {
  const { ports, asked } = sleeper();
  const port: HostPort = { ...(await freePort()), protocol: 'udp' };
  await ports.hold([port]);
  const client = dgram.createSocket('udp4');
  client.send('hello', port.hostPort, port.hostIp);
  await until('it wakes', () => asked() === 1);
  client.close();
  await ports.release(port);
  assert.equal(await checkBind(port), undefined);
});
