import assert from 'node:assert/strict';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createForwarder } from '../../../../../../vm/agent/network/dns/forwarder.ts';
import { createDnsServer } from '../../../../../../vm/agent/network/dns/server.ts';
import type { Upstream } from '../../../../../../vm/agent/network/dns/upstreams.ts';

/** Question for an A record of `name`.test */
const query = (name: string, id = 77): Buffer => {
  const head = Buffer.from('0000010000010000000000 00'.replaceAll(' ', ''), 'hex');
  head.writeUInt16BE(id, 0);
  const label = Buffer.from(name, 'latin1');
  return Buffer.concat([
    head,
    Buffer.from([label.length]),
    label,
    Buffer.from('0474657374000001 0001'.replaceAll(' ', ''), 'hex'),
  ]);
};
const reply = (message: Buffer, { truncated = false, address = '192.0.2.7' } = {}): Buffer => {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(truncated ? 0x8380 : 0x8180, 2);
  if (truncated) return copy;
  copy.writeUInt16BE(1, 6);
  const record = Buffer.from('c00c0001000100000005000400000000', 'hex');
  record.set(address.split('.').map(Number), 12);
  return Buffer.concat([copy, record]);
};
const frame = (message: Buffer): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
};

interface FakeUpstream extends Upstream {
  readonly asked: Buffer[];
}

async function fakeUpstream(
  t: TestContext,
  onQuery: (message: Buffer, respond: (response: Buffer) => void) => void,
  onTcp?: (message: Buffer, socket: Socket) => void,
): Promise<FakeUpstream> {
  const asked: Buffer[] = [];
  const udp: UdpSocket = createSocket('udp4');
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  const { port } = udp.address();
  udp.on('message', (message, from) => {
    asked.push(message);
    onQuery(message, (response) => udp.send(response, from.port, from.address));
  });
  let tcp: Server | undefined;
  if (onTcp !== undefined) {
    tcp = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data: Buffer) => onTcp(data.subarray(2), socket));
    });
    tcp.listen(port, '127.0.0.1');
    await once(tcp, 'listening');
  }
  t.after(() => {
    udp.close();
    tcp?.close();
  });
  return { address: '127.0.0.1', port, asked };
}

async function startServer(t: TestContext, upstreams: readonly Upstream[], timeoutMs = 200) {
  const server = createDnsServer({
    forward: createForwarder({ upstreams: () => upstreams, timeoutMs, rounds: 2 }),
    lookup: (name) => (name === 'mine.test' ? ['10.0.2.2'] : undefined),
    reverse: (address) => (address === '172.18.0.2' ? 'web.shop' : undefined),
  });
  const port = await server.listen('127.0.0.1', 0);
  t.after(() => server.close());
  return {
    port,
    async udp(message: Buffer): Promise<Buffer> {
      const socket = createSocket('udp4');
      try {
        socket.send(message, port, '127.0.0.1');
        const [response] = (await once(socket, 'message')) as [Buffer];
        return response;
      } finally {
        socket.close();
      }
    },
    async tcp(bytes: Buffer, chunkBytes: number, answers = 1): Promise<Buffer> {
      const socket = connect(port, '127.0.0.1');
      socket.setNoDelay(true);
      for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
        socket.write(bytes.subarray(offset, offset + chunkBytes));
        await new Promise((resolve) => setImmediate(resolve));
      }
      let received = Buffer.alloc(0);
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        received = Buffer.concat([received, chunk]);
        let whole = 0;
        for (let at = 0; at + 2 <= received.length && at + 2 + received.readUInt16BE(at) <= received.length; whole++) {
          at += 2 + received.readUInt16BE(at);
        }
        if (whole === answers) break;
      }
      return received;
    },
  };
}
const code = (response: Buffer): number => response.readUInt16BE(2) & 0xf;

test('own names are answered without asking anyone', async (t) => {
  const upstream = await fakeUpstream(t, () => undefined);
  const server = await startServer(t, [upstream]);
  const response = await server.udp(query('MINE'));
  assert.deepEqual([...response.subarray(-4)], [10, 0, 2, 2]);
  assert.equal(upstream.asked.length, 0);
});

test('addresses of one’s own are named, others asked about above', async (t) => {
  const upstream = await fakeUpstream(t, (message, respond) => respond(reply(message)));
  const server = await startServer(t, [upstream]);
  const ask = (address: string): Promise<Buffer> => {
    const labels = [...address.split('.').reverse(), 'in-addr', 'arpa'];
    const name = labels.flatMap((label) => [label.length, ...Buffer.from(label)]);
    return server.udp(Buffer.from([0, 77, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...name, 0, 0, 12, 0, 1]));
  };
  const answer = await ask('172.18.0.2');
  assert.deepEqual(answer.subarray(-10), Buffer.from('\u0003web\u0004shop\0', 'latin1'));
  assert.equal(upstream.asked.length, 0);
  await ask('192.0.2.1');
  assert.equal(upstream.asked.length, 1);
});

test('other names are forwarded under another id, with their case, and answered under the first', async (t) => {
  const upstream = await fakeUpstream(t, (message, respond) => respond(reply(message)));
  const server = await startServer(t, [upstream]);
  const ids = new Set<number>();
  for (let i = 0; i < 5; i++) {
    const response = await server.udp(query('ExAmPlE', 77));
    assert.equal(response.readUInt16BE(0), 77);
    assert.deepEqual([...response.subarray(-4)], [192, 0, 2, 7]);
    ids.add(upstream.asked[i]?.readUInt16BE(0) ?? 0);
    assert.ok(upstream.asked[i]?.includes('ExAmPlE'));
  }
  assert.ok(ids.size > 1, 'ids are not to be guessed');
});

test('a forged answer is not taken: the right one is waited for', async (t) => {
  const upstream = await fakeUpstream(t, (message, respond) => {
    const otherId = Buffer.from(message);
    otherId.writeUInt16BE((message.readUInt16BE(0) + 1) & 0xffff, 0);
    respond(reply(otherId, { address: '6.6.6.6' }));
    respond(reply(Buffer.concat([message.subarray(0, 12), query('other').subarray(12)]), { address: '6.6.6.6' }));
    respond(Buffer.from('garbage'));
    respond(reply(message));
  });
  const server = await startServer(t, [upstream]);
  assert.deepEqual([...(await server.udp(query('bank'))).subarray(-4)], [192, 0, 2, 7]);
});

test('a silent server is passed over, and asked again when all were silent', async (t) => {
  const silent = await fakeUpstream(t, () => undefined);
  const speaking = await fakeUpstream(t, (message, respond) => respond(reply(message)));
  const server = await startServer(t, [silent, speaking]);
  assert.equal(code(await server.udp(query('a'))), 0);
  let asked = 0;
  const second = await fakeUpstream(t, (message, respond) => {
    if (++asked === 2) respond(reply(message));
  });
  const again = await startServer(t, [second]);
  assert.equal(code(await again.udp(query('a'))), 0);
});

test('no server, or none that answers: a failure, said at the end and not never', async (t) => {
  const silent = await fakeUpstream(t, () => undefined);
  assert.equal(code(await (await startServer(t, [])).udp(query('a'))), 2);
  assert.equal(code(await (await startServer(t, [silent], 50)).udp(query('a'))), 2);
  const refused = { address: '127.0.0.1', port: 1 };
  assert.equal(code(await (await startServer(t, [refused])).udp(query('a'))), 2);
});

test('a truncated answer is passed on as such; by TCP the whole one is had', async (t) => {
  const upstream = await fakeUpstream(
    t,
    (message, respond) => respond(reply(message, { truncated: true })),
    (message, socket) => socket.end(frame(reply(message))),
  );
  const server = await startServer(t, [upstream]);
  assert.notEqual((await server.udp(query('a'))).readUInt16BE(2) & 0x0200, 0);
  const whole = await server.tcp(frame(query('a')), 1000);
  assert.deepEqual([...whole.subarray(-4)], [192, 0, 2, 7]);
});

for (const chunkBytes of [1, 321, 100_000]) {
  test(`by TCP several questions in one connection, in pieces of ${chunkBytes}`, async (t) => {
    const upstream = await fakeUpstream(t, (message, respond) => respond(reply(message)));
    const server = await startServer(t, [upstream]);
    const questions = Array.from({ length: 20 }, (_, id) => frame(query('a', id)));
    const answers = await server.tcp(Buffer.concat(questions), chunkBytes, 20);
    const ids = new Set<number>();
    for (let at = 0; at < answers.length; at += 2 + answers.readUInt16BE(at)) ids.add(answers.readUInt16BE(at + 2));
    assert.equal(ids.size, 20);
  });
}

test('one client cannot have all the server: beyond its share it is told so, others are served', async (t) => {
  const held: (() => void)[] = [];
  const upstream = await fakeUpstream(t, (message, respond) => void held.push(() => respond(reply(message))));
  const server = await startServer(t, [upstream], 60_000);
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  const refused = once(socket, 'message');
  for (let id = 0; id < 200; id++) socket.send(query('slow', id), server.port, '127.0.0.1');
  const [response] = (await refused) as [Buffer];
  assert.equal(code(response), 2);
  assert.equal(code(await server.udp(query('mine'))), 0);
  while (upstream.asked.length < 128) await new Promise((resolve) => setTimeout(resolve, 5));
  for (const answer of held) answer();
  // The share is free again.
  const last = server.udp(query('last'));
  while (!upstream.asked.some((message) => message.includes('last')))
    await new Promise((resolve) => setTimeout(resolve, 5));
  held.at(-1)?.();
  assert.equal(code(await last), 0);
});

test('garbage is refused or ignored, and the server lives on', async (t) => {
  const server = await startServer(t, []);
  const broken = query('a').subarray(0, 14);
  assert.equal(code(await server.udp(broken)), 1);
  const socket = connect(server.port, '127.0.0.1');
  socket.write(frame(Buffer.from('short')));
  await once(socket, 'close');
  assert.equal(code(await server.udp(query('mine'))), 0);
});
