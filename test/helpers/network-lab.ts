/** The network service on a real kernel, in a test's own network namespace, with a world and a name server of its own. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadAddonKernel } from '../../vm/agent/kernel/addon-kernel.ts';
import { createNetworking } from '../../vm/agent/network/create-networking.ts';
import { createFileEndpointStore } from '../../vm/agent/network/endpoint-store.ts';
import type { NetworkStore } from '../../vm/agent/network/network-store.ts';
import type {
  AttachRequest,
  Endpoint,
  NetworkRecord,
  NetworkRequest,
  NetworkService,
  PublishSpec,
} from '../../vm/agent/network/network.ts';
import { addonPath, sh, type StandIn, uplinkToWorld, worldAddress } from './own-network.ts';

/** TCP and UDP on one port; says by whom it was called, and with what. */
export const echoServer = (port: number, name: string, tcpAddress = '0.0.0.0'): string => `
  const answer = (data, from) => '${name} got ' + String(data).trim() + ' from ' + from;
  require('node:net').createServer((s) => { s.on('error', () => {}); s.on('data', (d) => s.end(answer(d, s.remoteAddress))); }).listen(${port}, '${tcpAddress}', () => {
    const u = require('node:dgram').createSocket('udp4');
    u.on('message', (d, from) => u.send(answer(d, from.address), from.port, from.address));
    u.bind(${port}, () => console.log('ready'));
  });`;

/** Prints the answer, or the error's code. */
export const client = (protocol: 'tcp' | 'udp', address: string, port: number, sourcePort = 0): string[] => {
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

/** As the database keeps them: over a restart of the service. */
function memoryNetworks(): NetworkStore {
  const records = new Map<string, NetworkRecord>();
  return {
    load: () => [...records.values()],
    save: (record) => records.set(record.id, record),
    remove: (id) => records.delete(id),
  };
}

export const published = (protocol: 'tcp' | 'udp', hostPort = 8080): PublishSpec[] => [
  { protocol, containerPort: 80, hostIp: '', hostPorts: { first: hostPort, last: hostPort } },
];

export const networkRequest = (name: string, ipam: NetworkRequest['ipam'] = {}): NetworkRequest => ({
  driver: 'bridge',
  name,
  internal: false,
  attachable: false,
  ipam,
  options: {},
  labels: {},
});

export interface NetworkLab {
  readonly world: StandIn;
  readonly network: NetworkService;
  /** The service ends and a new one starts over the same stores. */
  restart(): Promise<void>;
  attachTo(
    networks: AttachRequest['networks'],
    container: StandIn,
    publish?: readonly PublishSpec[],
    id?: string,
  ): Promise<readonly Endpoint[]>;
  /** To the default network. */
  attach(container: StandIn, publish?: readonly PublishSpec[], id?: string): Promise<Endpoint>;
  /** No place in a network, link, rule, neighbour or background failure. */
  nothingIsLeft(): Promise<void>;
  stop(): Promise<void>;
}

export async function startNetworkLab(): Promise<NetworkLab> {
  const storeFolder = mkdtempSync(path.join(tmpdir(), 'wherry-network-'));
  const networks = memoryNetworks();
  const problems: unknown[] = [];
  const world = await uplinkToWorld();
  const upstream = await nameServer();
  const makeService = async (): Promise<NetworkService> => {
    const service = createNetworking({
      kernel: loadAddonKernel(addonPath()),
      store: createFileEndpointStore(storeFolder),
      networks,
      reservedSubnets: ['10.0.2.0/24'],
      addressPools: [],
      instanceId: 'test',
      hostGateway: worldAddress,
      upstreams: () => [{ address: '127.0.0.1', port: upstream.address().port }],
      onError: (cause) => problems.push(cause),
    });
    await service.start();
    return service;
  };
  let network = await makeService();
  await network.restore([]);
  const attachTo: NetworkLab['attachTo'] = (asked, container, publish = [], id = `c${container.pid}`) =>
    network.attach({
      containerId: id,
      containerName: id,
      pid: container.pid,
      mode: { kind: 'network', name: asked[0]?.network ?? '' },
      networks: asked,
      publish,
    });
  return {
    world,
    get network() {
      return network;
    },
    async restart() {
      await network.close();
      network = await makeService();
    },
    attachTo,
    async attach(container, publish, id) {
      const [endpoint] = await attachTo([{ network: 'bridge', settings: { aliases: [] } }], container, publish, id);
      assert.ok(endpoint !== undefined);
      return endpoint;
    },
    async nothingIsLeft() {
      const deadline = Date.now() + 20_000;
      while (readdirSync(storeFolder).length > 0 && Date.now() < deadline) await new Promise((r) => setTimeout(r, 10));
      assert.deepEqual(readdirSync(storeFolder), []);
      assert.doesNotMatch(await sh('ip link'), /veth[0-9a-f]{11}/);
      assert.doesNotMatch(await sh('nft list map inet wherry published'), /elements/);
      assert.doesNotMatch(await sh('ip neigh show dev docker0'), /172\.17/);
      assert.deepEqual(problems, []);
    },
    async stop() {
      await network.close();
      await world.stop();
      upstream.close();
      rmSync(storeFolder, { recursive: true });
    },
  };
}

/** Answers every question for an address with 192.0.2.7, and all others with nothing. */
async function nameServer(): Promise<ReturnType<typeof createSocket>> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (query, from) => {
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(1, 6);
    head.writeUInt32BE(0, 8);
    const end = query.indexOf(0, 12) + 5;
    const record = Buffer.from('c00c00010001000000050004c0000207', 'hex');
    const isA = query.readUInt16BE(end - 4) === 1;
    if (!isA) head.writeUInt16BE(0, 6);
    socket.send(Buffer.concat([head, query.subarray(12, end), ...(isA ? [record] : [])]), from.port, from.address);
  });
  return socket;
}
