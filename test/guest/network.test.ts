/** The network service on a real kernel: links, addresses, firewall, name server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { loadAddonKernel } from '../../vm/agent/kernel/addon-kernel.ts';
import { createLinks } from '../../vm/agent/network/links.ts';
import { client, echoServer, type NetworkLab, published, startNetworkLab } from '../helpers/network-lab.ts';
import {
  addonPath,
  guestAddress,
  inOwnNetwork,
  sh,
  standIn,
  type StandIn,
  worldAddress,
} from '../helpers/own-network.ts';

inOwnNetwork(() => {
  let lab: NetworkLab;
  /** As an agent leaves it that was killed before it could write what it does. */
  const makeStray = async (container: StandIn): Promise<void> => {
    const links = createLinks(loadAddonKernel(addonPath()));
    const bridge = await links.ensureBridge({
      name: 'docker0',
      addresses: [{ address: '172.17.0.1', prefixLength: 16 }],
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
    const addresses = [{ address: '172.17.77.77', prefixLength: 16 }];
    await links.connect({ ...to, mtu: 1500, addresses, gateways: ['172.17.0.1'], isolated: false });
    links.close();
  };

  before(async () => {
    lab = await startNetworkLab();
  });
  after(() => lab.stop());

  test('two containers reach each other; after detach nothing is left', async () => {
    const one = await standIn();
    const two = await standIn();
    try {
      const endpoint = await lab.attach(one);
      assert.deepEqual(
        [endpoint.address, endpoint.mac, endpoint.gateway],
        ['172.17.0.2', '02:42:ac:11:00:02', '172.17.0.1'],
      );
      await lab.attach(two);
      const shown = await one.run(['ip', 'addr']);
      assert.match(shown.output, /eth0.*mtu 1500[^]*link\/ether 02:42:ac:11:00:02[^]*inet 172\.17\.0\.2\/16/);
      assert.doesNotMatch(shown.output, /fe80/, 'no IPv6 address by which the other side could be reached');
      const ping = await one.run(['busybox', 'ping', '-c1', '-W3', '172.17.0.3']);
      assert.equal(ping.code, 0, ping.output);
    } finally {
      await lab.network.detach(`c${one.pid}`);
      await lab.network.detach(`c${two.pid}`);
      await lab.nothingIsLeft();
      await Promise.all([one.stop(), two.stop()]);
    }
  });

  test('out: by the address of the guest; not to the guest itself, nor to link-local addresses', async () => {
    const container = await standIn();
    const service = createServer((socket) => socket.destroy()).listen(2222, '0.0.0.0');
    await once(service, 'listening');
    try {
      await lab.attach(container);
      await lab.world.serve(echoServer(7000, 'world'));
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
      await lab.network.detach(`c${container.pid}`);
      await lab.nothingIsLeft();
      await container.stop();
    }
  });

  test('names: the host by its names, others from the upstream server, by UDP and TCP', async () => {
    const container = await standIn();
    try {
      await lab.attach(container);
      const lookup = (name: string) => container.run(['busybox', 'nslookup', '-type=a', name, '172.17.0.1']);
      assert.match((await lookup('host.docker.internal')).output, /Address: 10\.0\.2\.2/);
      assert.match((await lookup('HOST.wherry.internal')).output, /Address: 10\.0\.2\.2/);
      assert.match((await lookup('example.test')).output, /Address: 192\.0\.2\.7/);
      const byTcp = `const r = new (require('node:net').Socket)().connect(53, '172.17.0.1');
        r.write(Buffer.from('001e00010100000100000000000007657861 6d706c650474657374 0000010001'.replaceAll(' ', ''), 'hex'));
        r.once('data', (d) => { console.log(d.toString('hex')); r.destroy(); });`;
      assert.match((await container.run([process.execPath, '-e', byTcp])).output, /c0000207\n$/);
    } finally {
      await lab.network.detach(`c${container.pid}`);
      await container.stop();
    }
  });

  for (const protocol of ['tcp', 'udp'] as const) {
    test(`a published ${protocol} port reaches the container until it is detached, then its successor`, async () => {
      const first = await standIn();
      const second = await standIn();
      const ask = async () => (await lab.world.run(client(protocol, guestAddress, 49152, 5555))).output;
      try {
        await Promise.all([first.serve(echoServer(80, 'first')), second.serve(echoServer(80, 'second'))]);
        await lab.attach(first, published(protocol));
        assert.match(await ask(), new RegExp(`first got hello from (::ffff:)?${worldAddress}`));
        await lab.network.detach(`c${first.pid}`);
        await lab.attach(second, published(protocol));
        // From the same port as before: what the kernel remembers of it would still lead to the first.
        if (protocol === 'udp') assert.match(await ask(), /second got hello/);
      } finally {
        await lab.network.detach(`c${first.pid}`);
        await lab.network.detach(`c${second.pid}`);
        await lab.nothingIsLeft();
        await Promise.all([first.stop(), second.stop()]);
      }
    });
  }

  test('a container does not reach the ports of others by the addresses of the guest, nor anyone a port not published', async () => {
    const container = await standIn();
    const other = await standIn();
    try {
      await container.serve(echoServer(80, 'container'));
      const { address } = await lab.attach(container, published('tcp'));
      await lab.attach(other);
      assert.doesNotMatch((await other.run(client('tcp', guestAddress, 49152))).output, /got/);
      await lab.world.run(['ip', 'route', 'add', '172.17.0.0/16', 'via', guestAddress]);
      const direct = await lab.world.run(client('tcp', address, 80));
      await lab.world.run(['ip', 'route', 'del', '172.17.0.0/16']);
      assert.match(direct.output, /ETIMEDOUT|EHOSTUNREACH|ECONNREFUSED/);
    } finally {
      await lab.network.detach(`c${container.pid}`);
      await lab.network.detach(`c${other.pid}`);
      await lab.nothingIsLeft();
      await Promise.all([container.stop(), other.stop()]);
    }
  });

  test('a new agent keeps what runs, with its ports, and clears what does not', async () => {
    const staying = await standIn();
    const gone = await standIn();
    const unknown = await standIn();
    try {
      await staying.serve(echoServer(80, 'staying'));
      const endpoint = await lab.attach(staying, published('tcp'), 'staying');
      await lab.attach(gone, published('tcp', 8081), 'gone');
      await makeStray(unknown);
      await lab.restart();
      await lab.network.restore([{ containerId: 'staying', containerName: 'staying', pid: staying.pid }]);
      assert.deepEqual(lab.network.endpointsOf('staying'), [endpoint]);
      assert.deepEqual(lab.network.endpointsOf('gone'), []);
      assert.equal(lab.network.portsOf('staying')[0]?.hostPort, 8080);
      assert.match((await lab.world.run(client('tcp', guestAddress, 49152))).output, /staying got hello/);
      const links = (await sh('ip link')).match(/veth[0-9a-f]{11}/g);
      assert.equal(links?.length, 1, 'neither the link of the container that is gone, nor one of unknown origin');
      const next = await lab.attach(gone, [], 'next');
      assert.equal(next.address, '172.17.0.3', 'the address in use is not given away, that of the gone one is');
    } finally {
      await lab.network.detach('staying');
      await lab.network.detach('next');
      await lab.nothingIsLeft();
      await Promise.all([staying.stop(), gone.stop(), unknown.stop()]);
    }
  });

  test('fifty at once', async (t) => {
    const containers = await Promise.all(Array.from({ length: 50 }, standIn));
    try {
      const startedAt = performance.now();
      const endpoints = await Promise.all(containers.map((container) => lab.attach(container)));
      t.diagnostic(`50 attaches: ${(performance.now() - startedAt).toFixed(0)} ms`);
      assert.equal(new Set(endpoints.map(({ address }) => address)).size, 50);
      const ping = await containers[0]?.run(['busybox', 'ping', '-c1', '-W3', endpoints[49]?.address ?? '']);
      assert.equal(ping?.code, 0, ping?.output);
    } finally {
      await Promise.all(containers.map(({ pid }) => lab.network.detach(`c${pid}`)));
      await lab.nothingIsLeft();
      await Promise.all(containers.map((container) => container.stop()));
    }
  });

  test('a container that dies before its attach leaves nothing, nor does one that dies before its detach', async () => {
    const container = await standIn();
    await lab.attach(container);
    await container.stop();
    await assert.rejects(lab.attach(container, published('tcp'), 'dead'), /ENOENT/);
    await lab.network.detach(`c${container.pid}`);
    await lab.nothingIsLeft();
  });

  test('mode none: a loopback and nothing else', async () => {
    const container = await standIn();
    try {
      const [endpoint] = await lab.network.attach({
        containerId: 'alone',
        containerName: 'alone',
        pid: container.pid,
        mode: { kind: 'none' },
        networks: [],
        publish: published('tcp'),
      });
      assert.equal(endpoint?.address, '');
      const { output } = await container.run(['ip', 'addr']);
      assert.match(output, /lo: <LOOPBACK,UP/);
      assert.doesNotMatch(output, /eth0/);
    } finally {
      await lab.network.detach('alone');
      await lab.nothingIsLeft();
      await container.stop();
    }
  });

  test('the bridge taken away under it shows in its health', async () => {
    assert.equal((await lab.network.health()).state, 'ok');
    await sh('ip link del docker0');
    assert.equal((await lab.network.health()).state, 'failed');
  });
});
