/** The stock docker CLI and networks: user-defined ones, and those a container borrows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busybox, docker, dockerSuite, home, killAgent } from '../helpers/docker.ts';
import { until } from '../helpers/until.ts';

const run = (name: string, ...args: string[]): Promise<string> =>
  docker('run', '-d', '--name', name, '--stop-timeout', '0', ...args, busybox, 'sleep', '1000');

dockerSuite('networks', () => {
  test('containers of one network find each other by name and alias, those of others do not', async () => {
    const id = await docker('network', 'create', '--label', 'team=shop', 'shop');
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.equal(
      await docker('network', 'ls', '--filter', 'label=team', '--format', '{{.Name}} {{.Driver}}'),
      'shop bridge',
    );
    await run('web', '--network', 'shop', '--network-alias', 'www');
    await docker('run', '--rm', '--network', 'shop', busybox, 'ping', '-c1', 'web');
    await docker('run', '--rm', '--network', 'shop', '--link', 'web:store', busybox, 'ping', '-c1', 'store');
    assert.match(
      await docker('run', '--rm', '--network', 'shop', busybox, 'nslookup', 'www'),
      /Address: 172\.18\.0\.2/,
    );
    const stranger = await home.docker(['run', '--rm', busybox, 'ping', '-c1', '-W1', '172.18.0.2']);
    assert.equal(stranger.code, 1, stranger.stdout);
    assert.equal(
      await docker('network', 'inspect', 'shop', '--format', '{{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}'),
      'web 172.18.0.2/16',
    );
    const busy = await home.docker(['network', 'rm', 'shop']);
    assert.equal(busy.code, 1);
    assert.match(busy.stderr, /has active endpoints/);
  });

  test('connect, disconnect and addresses of one’s choice', async () => {
    await docker('network', 'create', '--subnet', '10.88.0.0/24', '--gateway', '10.88.0.254', 'back');
    await run('web');
    await docker('network', 'connect', '--ip', '10.88.0.9', '--alias', 'api', 'back', 'web');
    assert.match(await docker('exec', 'web', 'ip', 'addr', 'show', 'eth1'), /inet 10\.88\.0\.9\/24/);
    assert.match(await docker('exec', 'web', 'cat', '/etc/hosts'), /^10\.88\.0\.9\s/m);
    assert.match(await docker('run', '--rm', '--network', 'back', busybox, 'ping', '-c1', 'api'), /10\.88\.0\.9/);
    const inspected = await docker(
      'inspect',
      'web',
      '--format',
      '{{range $name, $e := .NetworkSettings.Networks}}{{$name}}={{$e.IPAddress}} {{end}}',
    );
    assert.match(inspected, /^back=10\.88\.0\.9 bridge=172\.17\.0\.\d+$/);
    await docker('network', 'disconnect', 'bridge', 'web');
    assert.match(await docker('exec', 'web', 'ip', 'route'), /default via 10\.88\.0\.254/);
    await docker('restart', '-t', '0', 'web');
    assert.match(await docker('exec', 'web', 'ip', 'addr'), /10\.88\.0\.9/);
    assert.doesNotMatch(await docker('exec', 'web', 'ip', 'addr'), /172\.17/);
    const taken = await home.docker(['run', '--rm', '--network', 'back', '--ip', '10.88.0.9', busybox, 'true']);
    assert.equal(taken.code, 125);
    assert.match(taken.stderr, /Address already in use/);
  });

  test('an internal network has no way out; a published port reaches a user-defined one', async () => {
    await docker('network', 'create', '--internal', 'cellar');
    const out = await home.docker(['run', '--rm', '--network', 'cellar', busybox, 'ping', '-c1', '-W1', '10.0.2.2']);
    assert.notEqual(out.code, 0);
    await docker('network', 'create', 'front');
    await docker(
      'run',
      '-d',
      '--name',
      'web',
      '--network',
      'front',
      '-p',
      '80',
      busybox,
      'sh',
      '-c',
      'while true; do printf "HTTP/1.0 200 OK\\r\\n\\r\\nhello" | nc -l -p 80; done',
    );
    const address = (await docker('port', 'web', '80')).split('\n')[0] ?? '';
    assert.match(await (await fetch(`http://${address}/`)).text(), /hello/);
  });

  test('networks survive the end of the agent', async () => {
    await docker('network', 'create', '--ipv6', 'kept');
    await run('web', '--network', 'kept');
    await killAgent();
    await until('the engine answers again', async () => (await home.docker(['version'])).code === 0);
    assert.equal(await docker('network', 'ls', '--filter', 'type=custom', '--format', '{{.Name}}'), 'kept');
    const ping = ['run', '--rm', '--network', 'kept', busybox, 'ping', '-c1'];
    assert.match(await docker(...ping, 'web'), /1 packets received/);
    await docker('restart', 'web');
    assert.match(await docker(...ping, 'web'), /1 packets received/);
    assert.match(await docker(...ping, '-6', 'web'), /\(fd[0-9a-f:]+::2\)[^]*1 packets received/);
  });

  test('IPv6: a subnet is chosen or given, names, addresses and routes are there', async () => {
    const inet6 = ['network', 'create', '--ipv6'];
    await docker(...inet6, 'chosen');
    await docker(...inet6, '--subnet', 'fd00:77::/64', '--gateway', 'fd00:77::fe', 'six');
    assert.match(
      await docker('network', 'inspect', 'chosen', '--format', '{{.EnableIPv6}} {{(index .IPAM.Config 1).Subnet}}'),
      /^true fd[0-9a-f:]+::\/64$/,
    );
    await run('web', '--network', 'six', '--ip6', 'fd00:77::9');
    const place =
      '{{with .NetworkSettings.Networks.six}}{{.GlobalIPv6Address}}/{{.GlobalIPv6PrefixLen}} {{.IPv6Gateway}}{{end}}';
    assert.equal(await docker('inspect', 'web', '--format', place), 'fd00:77::9/64 fd00:77::fe');
    assert.match(await docker('exec', 'web', 'cat', '/etc/hosts'), /^fd00:77::9\s/m);
    assert.match(await docker('exec', 'web', 'ip', '-6', 'route'), /default via fd00:77::fe dev eth0/);
    const ping = await docker('run', '--rm', '--network', 'six', busybox, 'ping', '-6', '-c1', 'web');
    assert.match(ping, /\(fd00:77::9\)[^]*1 packets received/);
    for (const [args, message] of [
      [['run', '--rm', '--network', 'six', '--ip6', 'fd00:77::9', busybox, 'true'], /Address already in use/],
      [['run', '--rm', '--network', 'six', '--ip6', 'fd00:78::9', busybox, 'true'], /no configured subnet or ip-range/],
      [['network', 'connect', '--ip6', 'fd00:77::8', 'bridge', 'web'], /supported on user defined networks only/],
      [[...inet6, '--subnet', 'fd00:77::/48', 'x'], /Pool overlaps with other one on this address space/],
      [['run', '--rm', '-p', '[::1]:8080:80/udp', busybox, 'true'], /forwards TCP only/],
    ] as const) {
      const { code, stderr } = await home.docker([...args]);
      assert.notEqual(code, 0);
      assert.match(stderr, message);
    }
  });

  test('containers of a network with enable_icc=false reach the world and are reached by ports, not one another', async () => {
    await docker('network', 'create', '--opt', 'com.docker.network.bridge.enable_icc=false', 'cells');
    await run('web', '--network', 'cells');
    const ask = await home.docker(['run', '--rm', '--network', 'cells', busybox, 'ping', '-c1', '-W1', 'web']);
    assert.equal(ask.code, 1, ask.stdout);
    assert.match(ask.stdout, /PING web \(172/, 'names are known');
    const out = ['run', '--rm', '--network', 'cells', busybox, 'nslookup', 'host.docker.internal'];
    assert.match(await docker(...out), /10\.0\.2\.2/);
    await docker('network', 'create', 'hall');
    await docker('network', 'connect', 'hall', 'web');
    await docker('run', '--rm', '--network', 'hall', busybox, 'ping', '-c1', 'web');
  });

  test('ports are published on IPv6 addresses of the host too', async () => {
    const serve = 'while true; do printf "HTTP/1.0 200 OK\\r\\n\\r\\nby six" | nc -l -p 80; done';
    await docker('run', '-d', '--name', 'web', '-p', '[::1]::80', '-p', '127.0.0.1::80', busybox, 'sh', '-c', serve);
    const [six = '', four = ''] = (await docker('port', 'web', '80')).split('\n').sort().reverse();
    assert.match(six, /^\[::1\]:\d+$/);
    for (const address of [six, four]) {
      const page = (): Promise<string> => fetch(`http://${address}/`).then((answer) => answer.text(), String);
      await until(`a page at ${address}`, async () => (await page()).includes('by six'));
    }
    await docker('rm', '-f', 'web');
    await assert.rejects(fetch(`http://${six}/`));
  });

  test('host, none, and the network of another container', async () => {
    assert.match(await docker('run', '--rm', '--network', 'host', busybox, 'ip', 'addr'), /docker0/);
    const alone = await docker('run', '--rm', '--network', 'none', busybox, 'ip', 'addr');
    assert.match(alone, /lo: <LOOPBACK,UP/);
    assert.doesNotMatch(alone, /eth0/);
    await run('web');
    const own = await docker('exec', 'web', 'ip', 'addr', 'show', 'eth0');
    const shared = await docker('run', '--rm', '--network', 'container:web', busybox, 'ip', 'addr', 'show', 'eth0');
    assert.equal(shared, own);
  });

  test('unknown networks and containers are named, and nothing is pulled for them', async () => {
    const network = await home.docker(['run', '--network', 'nope', busybox, 'true']);
    assert.equal(network.code, 125);
    assert.match(network.stderr, /Error response from daemon: network nope not found/);
    assert.doesNotMatch(network.stderr, /Unable to find image/);
    const container = await home.docker(['run', '--network', 'container:nope', busybox, 'true']);
    assert.equal(container.code, 125);
    assert.match(container.stderr, /No such container: nope/);
    assert.match((await home.docker(['network', 'rm', 'nope'])).stderr, /network nope not found/);
    assert.match((await home.docker(['network', 'rm', 'bridge'])).stderr, /pre-defined network and cannot be removed/);
    assert.match(
      (await home.docker(['network', 'create', '--driver', 'macvlan', '-o', 'parent=eth0', 'mac'])).stderr,
      /the parent eth0 cannot be shared: .* Leave the option out/,
    );
  });

  test('macvlan and ipvlan: a network of the containers’ own, also through a restart', async () => {
    for (const driver of ['macvlan', 'ipvlan']) {
      await docker('network', 'create', '--driver', driver, '--subnet', '10.77.0.0/24', 'own');
      await docker('run', '-d', '--name', 'server', '--network', 'own', busybox, 'httpd', '-f', '-h', '/etc');
      const ask = ['run', '--rm', '--network', 'own', busybox];
      assert.match(await docker(...ask, 'wget', '-qO-', 'http://server/passwd'), /root/);
      await docker('restart', '-t', '0', 'server');
      assert.match(await docker(...ask, 'wget', '-qO-', 'http://server/passwd'), /root/);
      assert.equal(await docker(...ask, 'ip', 'route'), '10.77.0.0/24 dev eth0 scope link  src 10.77.0.3');
      await docker('network', 'disconnect', 'own', 'server');
      assert.notEqual((await home.docker([...ask, 'wget', '-T', '2', '-qO-', 'http://10.77.0.2/'])).code, 0);
      await docker('network', 'connect', 'own', 'server');
      assert.match(await docker(...ask, 'wget', '-qO-', 'http://server/passwd'), /root/);
      await docker('rm', '-f', 'server');
      await docker('network', 'rm', 'own');
    }
  });
});
