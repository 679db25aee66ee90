/** Networks of the drivers macvlan and ipvlan on a real kernel. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, test, type TestContext } from 'node:test';
import { loadAddonKernel } from '../../vm/agent/kernel/addon-kernel.ts';
import { request } from '../../vm/agent/kernel/netlink/request.ts';
import {
  createDummy,
  createSharedLink,
  decodeLinks,
  deleteLink,
  getLink,
} from '../../vm/agent/kernel/netlink/route.ts';
import type { NetworkDriver } from '../../vm/agent/network/network.ts';
import { client, echoServer, type NetworkLab, networkRequest, startNetworkLab } from '../helpers/network-lab.ts';
import {
  addonPath,
  guestAddress,
  inOwnNetwork,
  sh,
  standIn,
  type StandIn,
  worldAddress,
} from '../helpers/own-network.ts';

/** The kernel of the guest does; the one of a machine where the tests are only tried may not. */
async function kernelKnowsThem(): Promise<boolean> {
  const socket = await loadAddonKernel(addonPath()).openNetlink('route');
  try {
    const [, parent = []] = await request(socket, [createDummy('probe', 1500), getLink('probe')]);
    const index = decodeLinks(parent)[0]?.index ?? 0;
    const kind = { driver: 'ipvlan', mode: 'l2', flag: 'bridge' } as const;
    await request(socket, [createSharedLink({ name: 'probe1', parent: index, kind, mac: '', mtu: 1500 })]);
    return true;
  } catch {
    return false;
  } finally {
    await request(socket, [deleteLink('probe')]);
    socket.close();
  }
}

const inet6 = { ipam6: { subnet: 'fd00:77::/64' } };
const kinds: readonly (readonly [NetworkDriver, Readonly<Record<string, string>>])[] = [
  ['macvlan', {}],
  ['ipvlan', {}],
  ['ipvlan', { ipvlan_mode: 'l3' }],
  ['ipvlan', { ipvlan_mode: 'l3s' }],
];

inOwnNetwork(() => {
  let lab: NetworkLab;
  let isKnown = false;
  const canRun = (t: TestContext): boolean => {
    if (!isKnown) t.skip('this kernel has no dummy or ipvlan');
    return isKnown;
  };
  const look = (from: StandIn, name: string) => from.run(['busybox', 'nslookup', '-type=a', name, '172.18.0.1']);
  const join = (container: StandIn, id: string, settings: { address?: string } = {}) =>
    lab.attachTo([{ network: 'shop', settings: { aliases: [], ...settings } }], container, [], id);
  const nothingIsLeft = async (): Promise<void> => {
    await lab.nothingIsLeft();
    assert.doesNotMatch(await sh('ip link'), /dm-|gw-/);
  };

  before(async () => {
    isKnown = await kernelKnowsThem();
    lab = await startNetworkLab();
    await lab.world.serve(echoServer(7000, 'world'));
  });
  after(() => lab.stop());

  for (const [driver, options] of kinds) {
    const mode = options.ipvlan_mode ?? '';
    test(`${driver} ${mode}: containers reach each other and find names, and nothing else`, async (t) => {
      if (!canRun(t)) return;
      const [web, db, stranger] = [await standIn(), await standIn(), await standIn()];
      const service = createServer((socket) => socket.destroy()).listen(2222, '0.0.0.0');
      await once(service, 'listening');
      const shop = await lab.network.create({ ...networkRequest('shop'), driver, options, ...inet6 });
      try {
        assert.deepEqual([shop.driver, shop.subnets[0]?.subnet], [driver, '172.18.0.0/16']);
        const [place] = await join(web, 'web');
        assert.deepEqual([place?.address, place?.gateway, place?.interfaceName], ['172.18.0.2', '', 'eth0']);
        await join(db, 'db');
        await lab.attach(stranger, [], 'stranger');
        assert.match((await look(db, 'web')).output, /Address: 172\.18\.0\.2/);
        assert.match((await look(web, 'host.docker.internal')).output, /Address: 10\.0\.2\.2/);
        await web.serve(echoServer(80, 'web', '::'));
        for (const address of ['172.18.0.2', place?.inet6?.address ?? '']) {
          assert.match((await db.run(client('tcp', address, 80))).output, /web got hello/, address);
        }
        assert.doesNotMatch((await stranger.run(client('tcp', '172.18.0.2', 80))).output, /got/);
        for (const [address, port] of [
          [worldAddress, 7000],
          [guestAddress, 2222],
          ['172.18.0.1', 2222],
        ] as const) {
          const { output } = await db.run(client('tcp', address, port));
          assert.match(output, /ENETUNREACH|ECONNREFUSED|EHOSTUNREACH|EACCES/, `${address}:${port}: ${output}`);
        }
      } finally {
        service.close();
        for (const id of ['web', 'db', 'stranger']) await lab.network.detach(id);
        await Promise.all([web.stop(), db.stop(), stranger.stop()]);
        await lab.network.remove('shop');
        await nothingIsLeft();
      }
    });

    test(`${driver} ${mode}: a container that takes the place of another gets its address at once`, async (t) => {
      if (!canRun(t)) return;
      const rest = await standIn();
      await lab.network.create({ ...networkRequest('shop'), driver, options, ...inet6 });
      try {
        await join(rest, 'rest');
        for (let round = 0; round < 5; round++) {
          const container = await standIn();
          const [place] = await join(container, 'web');
          assert.equal(place?.address, '172.18.0.3');
          const ping = await rest.run(['busybox', 'ping', '-c1', '-W3', '172.18.0.3']);
          assert.equal(ping.code, 0, `round ${round}: ${ping.output}`);
          await container.stop();
          await lab.network.detach('web');
        }
      } finally {
        await lab.network.detach('rest');
        await rest.stop();
        await lab.network.remove('shop');
        await nothingIsLeft();
      }
    });

    test(`${driver} ${mode}: running containers join and leave it, also over a restart of the agent`, async (t) => {
      if (!canRun(t)) return;
      const [web, db] = [await standIn(), await standIn()];
      await lab.network.create({ ...networkRequest('shop'), driver, options });
      const connect = () =>
        lab.network.connect({
          containerId: 'web',
          containerName: 'web',
          pid: web.pid,
          network: 'shop',
          settings: { aliases: [] },
        });
      const leave = () => lab.network.disconnect({ containerId: 'web', pid: web.pid, network: 'shop' });
      try {
        await join(db, 'db');
        await lab.attach(web, [], 'web');
        assert.deepEqual(
          [(await connect()).interfaceName, (await web.run(['busybox', 'ping', '-c1', '-W3', '172.18.0.2'])).code],
          ['eth1', 0],
        );
        await leave();
        assert.doesNotMatch((await web.run(['ip', 'addr'])).output, /eth1|172\.18/);
        await connect();
        await lab.restart();
        await lab.network.restore([
          { containerId: 'web', containerName: 'web', pid: web.pid },
          { containerId: 'db', containerName: 'db', pid: db.pid },
        ]);
        assert.match((await look(web, 'db')).output, /Address: 172\.18\.0\.2/);
        await leave();
        assert.doesNotMatch((await web.run(['ip', 'addr'])).output, /eth1/);
        await assert.rejects(lab.network.remove('shop'), /has active endpoints/);
      } finally {
        for (const id of ['web', 'db']) await lab.network.detach(id);
        await Promise.all([web.stop(), db.stop()]);
        await lab.network.remove('shop');
        await nothingIsLeft();
      }
    });
  }

  test('macvlan, private: each on its own', async (t) => {
    if (!canRun(t)) return;
    const [web, db] = [await standIn(), await standIn()];
    await lab.network.create({ ...networkRequest('shop'), driver: 'macvlan', options: { macvlan_mode: 'private' } });
    try {
      await join(web, 'web');
      await join(db, 'db');
      assert.notEqual((await db.run(['busybox', 'ping', '-c1', '-W1', '172.18.0.2'])).code, 0);
    } finally {
      for (const id of ['web', 'db']) await lab.network.detach(id);
      await Promise.all([web.stop(), db.stop()]);
      await lab.network.remove('shop');
      await nothingIsLeft();
    }
  });
});
