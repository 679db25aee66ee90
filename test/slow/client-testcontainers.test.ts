/** Testcontainers for Node, unmodified, against Wherry's socket: wait strategies, networks, and its reaper. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { once } from 'node:events';
import { docker, dockerSuite, home, imageOf } from '../helpers/docker.ts';
import { until } from '../helpers/until.ts';
import { runProgram } from '../helpers/wherry-cli.ts';

/** One command in redis' own protocol. */
async function redis(host: string, port: number, command: string): Promise<string> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  socket.write(`${command}\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString().trim();
}

dockerSuite(
  'Testcontainers',
  () => {
    const outer = { ...process.env };
    let environment: Record<string, string>;
    let redisImage: string;
    let testcontainers: typeof import('testcontainers');

    before(async () => {
      redisImage = await imageOf('redis');
      environment = {
        DOCKER_HOST: home.dockerHost,
        RYUK_CONTAINER_IMAGE: await imageOf('reaper'),
        // It would look for the engine beside itself if this machine is a container.
        TESTCONTAINERS_HOST_OVERRIDE: 'localhost',
      };
      Object.assign(process.env, environment);
      testcontainers = await import('testcontainers');
    });

    after(() => {
      process.env = outer;
    });

    // First: a process that comes later joins the reaper that is there, which waits for the last to go.
    test('what a process leaves when it is killed, its reaper removes through the engine’s socket', async () => {
      const script = `
    const { GenericContainer, Network } = await import('testcontainers');
    const network = await new Network().start();
    await new GenericContainer('${redisImage}').withNetwork(network).start();
    process.kill(process.pid, 'SIGKILL');`;
      const ended = await runProgram(process.execPath, ['--input-type=module', '-e', script], {
        env: environment,
      });
      assert.equal(ended.code, 137, ended.stderr);
      const left = async (): Promise<string> =>
        `${await docker('ps', '-aq', '--filter', `ancestor=${redisImage}`)}${await docker('network', 'ls', '-q', '--filter', 'type=custom')}`;
      await until('nothing is left', async () => (await left()) === '');
    });

    test('a container with wait strategies, exec, restart', async () => {
      const { GenericContainer, Wait } = testcontainers;
      const container = await new GenericContainer(redisImage)
        .withExposedPorts(6379)
        .withWaitStrategy(
          Wait.forAll([Wait.forListeningPorts(), Wait.forLogMessage('Ready to accept connections')]).withStartupTimeout(
            60_000,
          ),
        )
        .start();
      assert.equal(await redis(container.getHost(), container.getMappedPort(6379), 'PING'), '+PONG');
      const { exitCode, output } = await container.exec(['redis-cli', 'set', 'boat', 'wherry']);
      assert.deepEqual([exitCode, output.trim()], [0, 'OK']);
      await container.restart();
      assert.equal(await redis(container.getHost(), container.getMappedPort(6379), 'PING'), '+PONG');
      await container.stop();
      assert.equal(await docker('ps', '-aq', '--filter', `id=${container.getId()}`), '');
    });

    test('two containers in a network, one known to the other by its alias', async () => {
      const { GenericContainer, Network, Wait } = testcontainers;
      const network = await new Network().start();
      const server = await new GenericContainer(redisImage)
        .withNetwork(network)
        .withNetworkAliases('store')
        .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
        .start();
      const client = await new GenericContainer(redisImage).withNetwork(network).withCommand(['sleep', '600']).start();
      const { output } = await client.exec(['redis-cli', '-h', 'store', 'ping']);
      assert.equal(output.trim(), 'PONG');
      await client.stop();
      await server.stop();
      await network.stop();
      assert.equal(await docker('network', 'ls', '-q', '--filter', 'type=custom'), '');
    });
  },
  { keeps: true },
);
