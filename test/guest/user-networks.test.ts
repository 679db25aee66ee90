/** User-defined networks on a real kernel: names, isolation, several at once, connect and disconnect. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  client,
  echoServer,
  type NetworkLab,
  networkRequest,
  published,
  startNetworkLab,
} from '../helpers/network-lab.ts';
import { guestAddress, inOwnNetwork, sh, standIn, type StandIn, worldAddress } from '../helpers/own-network.ts';

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
