/** The network service on a real kernel: links, addresses, firewall, name server. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { loadAddonKernel } from '../../vm/agent/kernel/addon-kernel.ts';
import { createNetworking } from '../../vm/agent/network/create-networking.ts';
import { createFileEndpointStore } from '../../vm/agent/network/endpoint-store.ts';
import { createLinks } from '../../vm/agent/network/links.ts';
import type { NetworkService, PublishSpec } from '../../vm/agent/network/network.ts';
import {
  addonPath,
  guestAddress,
  inOwnNetwork,
  sh,
  standIn,
  type StandIn,
  uplinkToWorld,
  worldAddress,
} from '../helpers/own-network.ts';

/** TCP and UDP on one port; says by whom it was called, and with what. */
const echoServer = (port: number, name: string): string => `
  const answer = (data, from) => '${name} got ' + String(data).trim() + ' from ' + from;
  require('node:net').createServer((s) => { s.on('error', () => {}); s.on('data', (d) => s.end(answer(d, s.remoteAddress))); }).listen(${port}, '0.0.0.0', () => {
    const u = require('node:dgram').createSocket('udp4');
    u.on('message', (d, from) => u.send(answer(d, from.address), from.port, from.address));
    u.bind(${port}, () => console.log('ready'));
  });`;

/** Prints the answer, or the error's code. */
const client = (protocol: 'tcp' | 'udp', address: string, port: number, sourcePort = 0): string[] => {
  const script = {
    tcp: `const s = require('node:net').connect({ host: '${address}', port: ${port}, localPort: ${sourcePort} }, () => s.write('hello'));
      s.setTimeout(4000, () => { console.log('ETIMEDOUT'); s.destroy(); });
      s.on('data', (d) => console.log(String(d))); s.on('error', (e) => console.log(e.code));`,
    udp: `const u = require('node:dgram').createSocket('udp4'); u.bind(${sourcePort}, () => u.send('hello', ${port}, '${address}'));
      const t = setTimeout(() => { console.log('ETIMEDOUT'); u.close(); }, 4000);
      u.on('message', (d) => { console.log(String(d)); clearTimeout(t); u.close(); });`,
  };
  return [process.execPath, '-e', script[protocol]];
};

inOwnNetwork(() => {
  const kernel = loadAddonKernel(addonPath());
  const storeFolder = mkdtempSync(path.join(tmpdir(), 'wherry-network-'));
  const upstream = createSocket('udp4');
  const problems: unknown[] = [];
  let world: StandIn;
  let network: NetworkService;

  const makeService = async (): Promise<NetworkService> => {
    const service = createNetworking({
      kernel,
      store: createFileEndpointStore(storeFolder),
      instanceId: 'test',
      hostGateway: worldAddress,
      upstreams: () => [{ address: '127.0.0.1', port: upstream.address().port }],
      onError: (cause) => problems.push(cause),
    });
    await service.start();
    return service;
  };
  const attach = (container: StandIn, publish: readonly PublishSpec[] = [], id = `c${container.pid}`) =>
    network.attach({
      containerId: id,
      containerName: id,
      pid: container.pid,
      mode: { kind: 'network', name: 'bridge' },
      publish,
    });
  const published = (protocol: 'tcp' | 'udp', hostPort = 8080): PublishSpec[] => [
    { protocol, containerPort: 80, hostIp: '', hostPorts: { first: hostPort, last: hostPort } },
  ];
  /** As an agent leaves it that was killed before it could write what it does. */
  const makeStray = async (container: StandIn): Promise<void> => {
    const links = createLinks(kernel);
    const bridge = await links.ensureBridge({
      name: 'docker0',
      address: '172.17.0.1',
      prefixLength: 16,
      mac: '02:42:ac:11:00:01',
      mtu: 1500,
    });
    const to = {
      namespacePath: `/proc/${container.pid}/ns/net`,
      bridge,
      link: 'vethabcdefabcde',
      interfaceName: 'stray',
      mac: '02:42:ac:11:77:77',
    };
    await links.connect({ ...to, mtu: 1500, address: '172.17.77.77', prefixLength: 16, gateway: '172.17.0.1' });
    links.close();
  };
  const nothingIsLeft = async (): Promise<void> => {
    const deadline = Date.now() + 20_000;
    while (readdirSync(storeFolder).length > 0 && Date.now() < deadline) await new Promise((r) => setTimeout(r, 10));
    assert.deepEqual(readdirSync(storeFolder), []);
    assert.doesNotMatch(await sh('ip link'), /veth[0-9a-f]{11}/);
    assert.doesNotMatch(await sh('nft list map inet wherry published'), /elements/);
    assert.doesNotMatch(await sh('ip neigh show dev docker0'), /172\.17/);
    assert.deepEqual(problems, []);
  };

  before(async () => {
    world = await uplinkToWorld();
    upstream.bind(0, '127.0.0.1');
    await once(upstream, 'listening');
    // Answers every name with 192.0.2.7.
    upstream.on('message', (query, from) => {
      const head = Buffer.from(query.subarray(0, 12));
      head.writeUInt16BE(0x8180, 2);
      head.writeUInt16BE(1, 6);
      head.writeUInt32BE(0, 8);
      const end = query.indexOf(0, 12) + 5;
      const record = Buffer.from('c00c00010001000000050004c0000207', 'hex');
      const isA = query.readUInt16BE(end - 4) === 1;
      if (!isA) head.writeUInt16BE(0, 6);
      upstream.send(Buffer.concat([head, query.subarray(12, end), ...(isA ? [record] : [])]), from.port, from.address);
    });
    network = await makeService();
    await network.restore([]);
  });
  after(() => {
    upstream.close();
    rmSync(storeFolder, { recursive: true });
  });
  after(() => world.stop());
  after(() => network.close());

  test('two containers reach each other; after detach nothing is left', async () => {
    const one = await standIn();
    const two = await standIn();
    try {
      const endpoint = await attach(one);
      assert.deepEqual(
        [endpoint.address, endpoint.mac, endpoint.gateway],
        ['172.17.0.2', '02:42:ac:11:00:02', '172.17.0.1'],
      );
      await attach(two);
      const shown = await one.run(['ip', 'addr']);
      assert.match(shown.output, /eth0.*mtu 1500[^]*link\/ether 02:42:ac:11:00:02[^]*inet 172\.17\.0\.2\/16/);
      assert.doesNotMatch(shown.output, /fe80/, 'no IPv6 address by which the other side could be reached');
      const ping = await one.run(['busybox', 'ping', '-c1', '-W3', '172.17.0.3']);
      assert.equal(ping.code, 0, ping.output);
    } finally {
      await network.detach(`c${one.pid}`);
      await network.detach(`c${two.pid}`);
      await nothingIsLeft();
      await Promise.all([one.stop(), two.stop()]);
    }
  });

  test('out: by the address of the guest; not to the guest itself, nor to link-local addresses', async () => {
    const container = await standIn();
    const service = createServer((socket) => socket.destroy()).listen(2222, '0.0.0.0');
    await once(service, 'listening');
    try {
      await attach(container);
      await world.serve(echoServer(7000, 'world'));
      const out = await container.run(client('tcp', worldAddress, 7000));
      assert.match(out.output, new RegExp(`world got hello from (::ffff:)?${guestAddress}`));
      assert.match((await container.run(client('udp', worldAddress, 7000))).output, /world got hello/);
      for (const [address, port] of [
        ['172.17.0.1', 2222],
        [guestAddress, 2222],
        ['169.254.169.254', 7000],
      ] as const) {
        const { output } = await container.run(client('tcp', address, port));
        assert.match(output, /ECONNREFUSED|EHOSTUNREACH|EACCES/, `${address}:${port}: ${output}`);
      }
    } finally {
      service.close();
      await network.detach(`c${container.pid}`);
      await nothingIsLeft();
      await container.stop();
    }
  });

  test('names: the host by its names, others from the upstream server, by UDP and TCP', async () => {
    const container = await standIn();
    try {
      await attach(container);
      const lookup = (name: string) => container.run(['busybox', 'nslookup', '-type=a', name, '172.17.0.1']);
      assert.match((await lookup('host.docker.internal')).output, /Address: 10\.0\.2\.2/);
      assert.match((await lookup('HOST.wherry.internal')).output, /Address: 10\.0\.2\.2/);
      assert.match((await lookup('example.test')).output, /Address: 192\.0\.2\.7/);
      const byTcp = `const r = new (require('node:net').Socket)().connect(53, '172.17.0.1');
        r.write(Buffer.from('001e00010100000100000000000007657861 6d706c650474657374 0000010001'.replaceAll(' ', ''), 'hex'));
        r.once('data', (d) => { console.log(d.toString('hex')); r.destroy(); });`;
      assert.match((await container.run([process.execPath, '-e', byTcp])).output, /c0000207\n$/);
    } finally {
      await network.detach(`c${container.pid}`);
      await container.stop();
    }
  });

  for (const protocol of ['tcp', 'udp'] as const) {
    test(`a published ${protocol} port reaches the container until it is detached, then its successor`, async () => {
      const first = await standIn();
      const second = await standIn();
      const ask = async () => (await world.run(client(protocol, guestAddress, 49152, 5555))).output;
      try {
        await Promise.all([first.serve(echoServer(80, 'first')), second.serve(echoServer(80, 'second'))]);
        await attach(first, published(protocol));
        assert.match(await ask(), new RegExp(`first got hello from (::ffff:)?${worldAddress}`));
        await network.detach(`c${first.pid}`);
        await attach(second, published(protocol));
        // From the same port as before: what the kernel remembers of it would still lead to the first.
        if (protocol === 'udp') assert.match(await ask(), /second got hello/);
      } finally {
        await network.detach(`c${first.pid}`);
        await network.detach(`c${second.pid}`);
        await nothingIsLeft();
        await Promise.all([first.stop(), second.stop()]);
      }
    });
  }

  test('a container does not reach the ports of others by the addresses of the guest, nor anyone a port not published', async () => {
    const container = await standIn();
    const other = await standIn();
    try {
      await container.serve(echoServer(80, 'container'));
      const { address } = await attach(container, published('tcp'));
      await attach(other);
      assert.doesNotMatch((await other.run(client('tcp', guestAddress, 49152))).output, /got/);
      await world.run(['ip', 'route', 'add', '172.17.0.0/16', 'via', guestAddress]);
      const direct = await world.run(client('tcp', address, 80));
      await world.run(['ip', 'route', 'del', '172.17.0.0/16']);
      assert.match(direct.output, /ETIMEDOUT|EHOSTUNREACH|ECONNREFUSED/);
    } finally {
      await network.detach(`c${container.pid}`);
      await network.detach(`c${other.pid}`);
      await nothingIsLeft();
      await Promise.all([container.stop(), other.stop()]);
    }
  });

  test('a new agent keeps what runs, with its ports, and clears what does not', async () => {
    const staying = await standIn();
    const gone = await standIn();
    const unknown = await standIn();
    try {
      await staying.serve(echoServer(80, 'staying'));
      const endpoint = await attach(staying, published('tcp'), 'staying');
      await attach(gone, published('tcp', 8081), 'gone');
      await makeStray(unknown);
      await network.close();

      network = await makeService();
      await network.restore([{ containerId: 'staying', containerName: 'staying', pid: staying.pid }]);
      assert.deepEqual(network.endpointsOf('staying'), [endpoint]);
      assert.deepEqual(network.endpointsOf('gone'), []);
      assert.equal(network.portsOf('staying')[0]?.hostPort, 8080);
      assert.match((await world.run(client('tcp', guestAddress, 49152))).output, /staying got hello/);
      const links = (await sh('ip link')).match(/veth[0-9a-f]{11}/g);
      assert.equal(links?.length, 1, 'neither the link of the container that is gone, nor one of unknown origin');
      const next = await attach(gone, [], 'next');
      assert.equal(next.address, '172.17.0.3', 'the address in use is not given away, that of the gone one is');
    } finally {
      await network.detach('staying');
      await network.detach('next');
      await nothingIsLeft();
      await Promise.all([staying.stop(), gone.stop(), unknown.stop()]);
    }
  });

  test('fifty at once', async (t) => {
    const containers = await Promise.all(Array.from({ length: 50 }, standIn));
    try {
      const startedAt = performance.now();
      const endpoints = await Promise.all(containers.map((container) => attach(container)));
      t.diagnostic(`50 attaches: ${(performance.now() - startedAt).toFixed(0)} ms`);
      assert.equal(new Set(endpoints.map(({ address }) => address)).size, 50);
      const ping = await containers[0]?.run(['busybox', 'ping', '-c1', '-W3', endpoints[49]?.address ?? '']);
      assert.equal(ping?.code, 0, ping?.output);
    } finally {
      await Promise.all(containers.map(({ pid }) => network.detach(`c${pid}`)));
      await nothingIsLeft();
      await Promise.all(containers.map((container) => container.stop()));
    }
  });

  test('a container that dies before its attach leaves nothing, nor does one that dies before its detach', async () => {
    const container = await standIn();
    await attach(container);
    await container.stop();
    await assert.rejects(attach(container, published('tcp'), 'dead'), /ENOENT/);
    await network.detach(`c${container.pid}`);
    await nothingIsLeft();
  });

  test('mode none: a loopback and nothing else', async () => {
    const container = await standIn();
    try {
      const endpoint = await network.attach({
        containerId: 'alone',
        containerName: 'alone',
        pid: container.pid,
        mode: { kind: 'none' },
        publish: published('tcp'),
      });
      assert.equal(endpoint.address, '');
      const { output } = await container.run(['ip', 'addr']);
      assert.match(output, /lo: <LOOPBACK,UP/);
      assert.doesNotMatch(output, /eth0/);
    } finally {
      await network.detach('alone');
      await nothingIsLeft();
      await container.stop();
    }
  });

  test('the bridge taken away under it shows in its health', async () => {
    assert.equal((await network.health()).state, 'ok');
    await sh('ip link del docker0');
    assert.equal((await network.health()).state, 'failed');
  });
});
