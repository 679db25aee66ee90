import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { LinkForwards, splitForwards } from '../../../../src-main/ports/link-forwards.ts';
import type { HostForwards, PortForward } from '../../../../src-main/vm/backend.ts';

/** A guest whose port answers, after its client's end, with what it was told. */
async function startGuest() {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    let told = '';
    // Unlike stream/consumers, leaves the other direction open.
    socket.on('data', (chunk: Buffer) => (told += chunk.toString()));
    socket.on('end', () => socket.end(`told ${told}`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen({ host: '::1', port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const connectTo = async (port: number): Promise<net.Socket> => {
  const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
};

async function ask(port: number, words: string): Promise<string> {
  const socket = net.connect({ host: '::1', port, allowHalfOpen: true });
  socket.end(words);
  return text(socket);
}

test('a port on an IPv6 address leads to the guest, each direction to its own end', async () => {
  await using guest = await startGuest();
  await using forwards = new LinkForwards(connectTo);
  const port = { protocol: 'tcp', hostIp: '::1', hostPort: await freePort() } as const;
  await forwards.addForward({ ...port, guestPort: guest.port });
  assert.deepEqual(await forwards.forwards(), [{ ...port, guestPort: guest.port }]);
  const long = 'x'.repeat(300_000);
  const [short, whole] = await Promise.all([ask(port.hostPort, 'one'), ask(port.hostPort, long)]);
  assert.equal(short, 'told one');
  assert.ok(whole === `told ${long}`);
  await forwards.removeForward(port);
  assert.deepEqual(await forwards.forwards(), []);
  await assert.rejects(ask(port.hostPort, 'late'), { code: 'ECONNREFUSED' });
});

test('a port whose guest does not answer cuts its clients off, and one that is taken says so', async () => {
  await using forwards = new LinkForwards(() => Promise.reject(new Error('nobody there')));
  const forward = { protocol: 'tcp', hostIp: '::1', hostPort: await freePort(), guestPort: 1 } as const;
  await forwards.addForward(forward);
  await assert.rejects(ask(forward.hostPort, 'anybody?'), { code: 'ECONNRESET' });
  await forwards.addForward(forward);
  assert.equal((await forwards.forwards()).length, 1, 'one that is there already is no error, and stays one');
  await assert.rejects(forwards.addForward({ ...forward, guestPort: 2 }), { code: 'port-taken' });
  await assert.rejects(forwards.addForward({ ...forward, protocol: 'udp' }), { code: 'unsupported' });
});

test('removing a port ends the connections through it', async () => {
  await using guest = await startGuest();
  await using forwards = new LinkForwards(connectTo);
  const forward = { protocol: 'tcp', hostIp: '::1', hostPort: await freePort(), guestPort: guest.port } as const;
  await forwards.addForward(forward);
  const client = net.connect({ host: '::1', port: forward.hostPort });
  client.on('error', () => undefined);
  await once(client, 'connect');
  const closed = once(client, 'close');
  await forwards.removeForward(forward);
  await closed;
});

test('the monitor forwards IPv4, the link the rest, and everything where there is no monitor', async () => {
  const recorder = (): HostForwards & { readonly list: PortForward[] } => {
    const list: PortForward[] = [];
    return {
      list,
      addForward: (forward) => Promise.resolve(void list.push(forward)),
      removeForward: () => Promise.resolve(void list.pop()),
      forwards: () => Promise.resolve(list),
    };
  };
  const [monitor, link] = [recorder(), recorder()];
  const four = { protocol: 'udp', hostIp: '0.0.0.0', hostPort: 1, guestPort: 1 } as const;
  const six = { protocol: 'tcp', hostIp: '::1', hostPort: 2, guestPort: 2 } as const;
  const both = splitForwards(monitor, link);
  await both.addForward(four);
  await both.addForward(six);
  assert.deepEqual([monitor.list, link.list, await both.forwards()], [[four], [six], [four, six]]);
  await both.removeForward(six);
  assert.deepEqual(link.list, []);
  await splitForwards(undefined, link).addForward(four);
  assert.deepEqual(link.list, [four]);
});
