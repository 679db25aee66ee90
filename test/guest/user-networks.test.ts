/** User-defined networks on a real kernel: names, isolation, several at once, connect and disconnect. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { addressBytes } from '../../vm/agent/kernel/netlink/addresses.ts';
import {
  client,
  echoServer,
  type NetworkLab,
  networkRequest,
  published,
  startNetworkLab,
} from '../helpers/network-lab.ts';
import {
  giveInet6,
  guestAddress,
  inOwnNetwork,
  sh,
  standIn,
  type StandIn,
  worldAddress,
} from '../helpers/own-network.ts';

const guestInet6 = 'fd99::15';
const worldInet6 = 'fd99::2';

/** An IPv6 uplink, which QEMU's user network does not give. */
async function worldHasInet6(world: StandIn): Promise<void> {
  await giveInet6('eth0', guestInet6);
  await giveInet6('world', worldInet6, `/proc/${world.pid}/ns/net`);
  await sh(`ip -6 route add default via ${worldInet6}`);
}

const pointerName = (address: string): string =>
  `${Array.from(addressBytes(address).toString('hex')).reverse().join('.')}.ip6.arpa`;

inOwnNetwork(() => {
  let lab: NetworkLab;

  before(async () => {
    lab = await startNetworkLab();
  });
  after(() => lab.stop());

  test('a user-defined network: names and aliases both ways, reverse names, no way to other networks', async () => {
    const [web, db, stranger] = [await standIn(), await standIn(), await standIn()];
    const shop = await lab.network.create(networkRequest('shop'));
    const ask = (from: StandIn, name: string, server: string) =>
      from.run(['busybox', 'nslookup', '-type=a', name, server]);
    try {
      assert.deepEqual(shop.subnets, [{ subnet: '172.18.0.0/16', gateway: '172.18.0.1' }]);
      const [place] = await lab.attachTo([{ network: 'shop', settings: { aliases: ['www'] } }], web, [], 'web');
      await lab.attachTo([{ network: shop.id, settings: { aliases: [] } }], db, [], 'db');
      const other = await lab.attach(stranger, [], 'stranger');
      assert.equal(place?.address, '172.18.0.2');
      assert.match((await ask(db, 'www', '172.18.0.1')).output, /Address: 172\.18\.0\.2/);
      assert.match((await ask(db, 'web.shop', '172.18.0.1')).output, /Address: 172\.18\.0\.2/);
      assert.match((await ask(web, 'DB', '172.18.0.1')).output, /Address: 172\.18\.0\.3/);
      assert.match(
        (await db.run(['busybox', 'nslookup', '-type=ptr', '2.0.18.172.in-addr.arpa', '172.18.0.1'])).output,
        /web\.shop/,
      );
      assert.match((await ask(db, 'example.test', '172.18.0.1')).output, /192\.0\.2\.7/);
      // Somebody else's name, asked from another network, goes on to the world.
      assert.match((await ask(stranger, 'web', '172.17.0.1')).output, /192\.0\.2\.7/);
      assert.equal((await db.run(['busybox', 'ping', '-c1', '-W3', '172.18.0.2'])).code, 0);
      await web.serve(echoServer(80, 'web'));
      assert.match((await db.run(client('tcp', '172.18.0.2', 80))).output, /web got/);
      assert.doesNotMatch((await stranger.run(client('tcp', '172.18.0.2', 80))).output, /got/);
      assert.notEqual((await db.run(['busybox', 'ping', '-c1', '-W1', other.address])).code, 0);
      await assert.rejects(lab.network.remove('shop'), /network shop has active endpoints/);
    } finally {
      for (const id of ['web', 'db', 'stranger']) await lab.network.detach(id);
      await lab.network.remove('shop');
      await lab.nothingIsLeft();
      assert.doesNotMatch(await sh('ip link'), /br-/);
      await Promise.all([web.stop(), db.stop(), stranger.stop()]);
    }
  });

  test('connect and disconnect while it runs; ports and the way out move to what is left', async () => {
    const container = await standIn();
    const back = await lab.network.create(networkRequest('back', { subnet: '10.77.0.0/24' }));
    try {
      await container.serve(echoServer(80, 'container'));
      await lab.attach(container, published('tcp'), 'c');
      const to = { containerId: 'c', containerName: 'c', pid: container.pid, network: 'back' };
      const place = await lab.network.connect({ ...to, settings: { aliases: [], address: '10.77.0.9' } });
      assert.deepEqual([place.address, place.interfaceName], ['10.77.0.9', 'eth1']);
      await assert.rejects(lab.network.connect({ ...to, settings: { aliases: [] } }), { code: 'forbidden' });
      assert.match((await container.run(['ip', 'route'])).output, /default via 172\.17\.0\.1 dev eth0/);
      await lab.network.disconnect({ ...to, network: 'bridge' });
      const shown = (await container.run(['ip', 'route'])).output;
      assert.match(shown, /default via 10\.77\.0\.1 dev eth1/);
      assert.match((await lab.world.run(client('tcp', guestAddress, 49152))).output, /container got/);
      await lab.network.disconnect(to);
      assert.deepEqual(lab.network.endpointsOf('c'), []);
      await assert.rejects(lab.network.disconnect(to), /is not connected to network back/);
      await lab.network.connect({ ...to, settings: { aliases: [] } });
      assert.match((await container.run(['ip', 'route'])).output, /default via 10\.77\.0\.1 dev eth0/);
    } finally {
      await lab.network.detach('c');
      await lab.network.remove(back.id);
      await lab.nothingIsLeft();
      await container.stop();
    }
  });

  test('an internal network has no way in or out; two networks at once have both', async () => {
    const [inner, both] = [await standIn(), await standIn()];
    await lab.network.create({ ...networkRequest('cellar'), internal: true });
    try {
      await lab.attachTo([{ network: 'cellar', settings: { aliases: [] } }], inner, [], 'inner');
      const asked = ['cellar', 'bridge'].map((name) => ({ network: name, settings: { aliases: [] } }));
      await lab.attachTo(asked, both, [], 'both');
      await lab.world.serve(echoServer(7001, 'world'));
      assert.doesNotMatch((await inner.run(client('tcp', worldAddress, 7001))).output, /got/);
      assert.match((await both.run(client('tcp', worldAddress, 7001))).output, /world got/);
      assert.equal((await both.run(['busybox', 'ping', '-c1', '-W3', '172.18.0.2'])).code, 0);
      assert.match(
        (await inner.run(['busybox', 'nslookup', '-type=a', 'both', '172.18.0.1'])).output,
        /Address: 172\.18\.0\.3/,
      );
    } finally {
      for (const id of ['inner', 'both']) await lab.network.detach(id);
      await lab.network.remove('cellar');
      await lab.nothingIsLeft();
      await Promise.all([inner.stop(), both.stop()]);
    }
  });

  test('IPv6: addresses, names, a way out, none in or across; and all of it after the agent’s restart', async () => {
    const [web, db, stranger] = [await standIn(), await standIn(), await standIn()];
    const asked = (network: string, address6?: string) => [
      { network, settings: { aliases: [], ...(address6 === undefined ? {} : { address6 }) } },
    ];
    const reach = async (from: StandIn, address: string, port: number) =>
      (await from.run(client('tcp', address, port))).output;
    const isReached = async (from: StandIn, address: string) =>
      (await from.run(['busybox', 'ping', '-c1', '-W1', address])).code === 0;
    const service = createServer((socket) => socket.end('got')).listen(2222, '::');
    await once(service, 'listening');
    try {
      await worldHasInet6(lab.world);
      const six = await lab.network.create({ ...networkRequest('six'), ipam6: {} });
      await lab.network.create({ ...networkRequest('other'), ipam6: { subnet: 'fd01::/64', gateway: 'fd01::fe' } });
      const [place] = await lab.attachTo(asked('six'), web, [], 'web');
      const [second] = await lab.attachTo(asked('six', place?.inet6?.address.replace(/2$/, '99')), db, [], 'db');
      const [elsewhere] = await lab.attachTo(asked('other'), stranger, [], 'stranger');
      const { address = '', gateway = '' } = place?.inet6 ?? {};
      assert.equal(gateway, six.subnets[1]?.gateway);
      assert.match(address, /^fd.*::2$/);
      assert.deepEqual(elsewhere?.inet6, { address: 'fd01::2', prefixLength: 64, gateway: 'fd01::fe' });
      assert.match((await web.run(['ip', '-6', 'route'])).output, new RegExp(`default via ${gateway} dev eth0`));
      assert.doesNotMatch((await web.run(['ip', '-6', 'addr'])).output, /tentative/);
      const taken = lab.network.attach({
        ...{ containerId: 'x', containerName: 'x', pid: stranger.pid, publish: [] },
        ...{ mode: { kind: 'network', name: 'six' }, networks: asked('six', address) },
      });
      await assert.rejects(taken, { message: 'Address already in use' });

      await Promise.all([web.serve(echoServer(80, 'web', '::')), lab.world.serve(echoServer(7002, 'world', '::'))]);
      const works = async (): Promise<void> => {
        assert.match(await reach(db, address, 80), new RegExp(`web got hello from ${second?.inet6?.address ?? ''}`));
        const lookUp = async (type: string, name: string) =>
          (await db.run(['busybox', 'nslookup', `-type=${type}`, name, '172.18.0.1'])).output;
        assert.match(await lookUp('aaaa', 'web'), new RegExp(`Address: ${address}`));
        assert.match(await lookUp('ptr', pointerName(address)), /web\.six/);
        assert.match(await reach(db, worldInet6, 7002), new RegExp(`world got hello from ${guestInet6}`));
        assert.deepEqual([await isReached(db, address), await isReached(stranger, address)], [true, false]);
        for (const own of [gateway, 'fd01::fe', guestInet6]) {
          assert.match(await reach(db, own, 2222), /ECONNREFUSED|EACCES/, own);
        }
      };
      await works();
      await lab.world.run(['ip', '-6', 'route', 'add', 'fd00::/8', 'via', guestInet6]);
      assert.equal(await isReached(lab.world, address), false);

      // Nothing here can send a router advertisement.
      assert.match(await sh('nft list table bridge wherry'), /hook forward[^]*nd-router-advert[^]*drop/);

      await lab.restart();
      await lab.network.restore(
        Object.entries({ web, db, stranger }).map(([id, { pid }]) => ({ containerId: id, containerName: id, pid })),
      );
      assert.deepEqual(lab.network.endpointsOf('web'), [place]);
      await works();
    } finally {
      service.close();
      for (const id of ['web', 'db', 'stranger']) await lab.network.detach(id);
      for (const { name } of lab.network.networks().slice(3)) await lab.network.remove(name);
      await lab.nothingIsLeft();
      await Promise.all([web.stop(), db.stop(), stranger.stop()]);
    }
  });

  test('IPv6: an internal network leads nowhere; the way out moves with connect and disconnect', async () => {
    const container = await standIn();
    const to = { containerId: 'c', containerName: 'c', pid: container.pid };
    const routes = async () => (await container.run(['ip', '-6', 'route'])).output;
    await lab.network.create({ ...networkRequest('cellar'), internal: true, ipam6: { subnet: 'fd02::/64' } });
    await lab.network.create({ ...networkRequest('back'), ipam6: { subnet: 'fd03::/64' } });
    try {
      const [inner] = await lab.attachTo([{ network: 'cellar', settings: { aliases: [] } }], container, [], 'c');
      assert.deepEqual(inner?.inet6, { address: 'fd02::2', prefixLength: 64, gateway: '' });
      assert.doesNotMatch(await routes(), /default/);
      await lab.network.connect({ ...to, network: 'bridge', settings: { aliases: [] } });
      const outer = await lab.network.connect({ ...to, network: 'back', settings: { aliases: [] } });
      assert.match(await routes(), /default via fd03::1 dev eth2/);
      assert.match((await container.run(['ip', 'route'])).output, /default via 172\.17\.0\.1 dev eth1/);
      await assert.rejects(
        lab.network.connect({
          ...to,
          containerId: 'd',
          network: 'bridge',
          settings: { aliases: [], address6: 'fd03::9' },
        }),
        { message: 'user specified IP address is supported on user defined networks only' },
      );
      await lab.network.disconnect({ ...to, network: 'back' });
      assert.doesNotMatch(await routes(), /default|fd03/);
      const again = await lab.network.connect({ ...to, network: 'back', settings: { aliases: [] } });
      assert.deepEqual(again.inet6, outer.inet6, 'its address was free again');
      await lab.network.disconnect({ ...to, network: 'back' });
      await container.run(['sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6']);
      const off = await lab.network.connect({
        ...to,
        network: 'back',
        isInet6Off: true,
        settings: { aliases: [] },
      });
      assert.equal(off.inet6, undefined);
    } finally {
      await lab.network.detach('c');
      for (const name of ['cellar', 'back']) await lab.network.remove(name);
      await lab.nothingIsLeft();
      await container.stop();
    }
  });

  test('a new agent finds the networks and who is in them', async () => {
    const container = await standIn();
    const { id } = await lab.network.create(networkRequest('kept'));
    try {
      const [endpoint] = await lab.attachTo([{ network: 'kept', settings: { aliases: ['k'] } }], container, [], 'c');
      await lab.restart();
      await lab.network.restore([{ containerId: 'c', containerName: 'c', pid: container.pid }]);
      assert.equal(lab.network.network('kept').id, id);
      assert.deepEqual(lab.network.endpointsOf('c'), [endpoint]);
      const asked = await container.run(['busybox', 'nslookup', '-type=a', 'k', '172.18.0.1']);
      assert.match(asked.output, /Address: 172\.18\.0\.2/);
    } finally {
      await lab.network.detach('c');
      await lab.network.remove('kept');
      await container.stop();
    }
  });

  test('what cannot be made is refused and leaves nothing', async () => {
    await assert.rejects(lab.network.create(networkRequest('overlapping', { subnet: '172.17.4.0/24' })), {
      code: 'forbidden',
    });
    await assert.rejects(lab.network.create(networkRequest('of-the-guest', { subnet: '10.0.0.0/8' })), {
      code: 'forbidden',
    });
    await lab.network.create(networkRequest('twice'));
    await assert.rejects(lab.network.create(networkRequest('twice')), { code: 'conflict' });
    await lab.network.remove('twice');
    await assert.rejects(lab.network.remove('bridge'), { code: 'forbidden' });
    await assert.rejects(lab.network.remove('twice'), { code: 'not-found' });
    assert.equal(lab.network.networks().length, 3);
    assert.doesNotMatch(await sh('ip link'), /br-/);
  });
});
