/** Debian's docker-compose (1.29, on docker-py), unmodified: an application of three services from its first `up` to its `down`. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { busybox, docker, dockerSuite, home, imageOf } from '../helpers/docker.ts';
import { ok, runProgram, type Ended } from '../helpers/wherry-cli.ts';

let folder: string;

function compose(...args: string[]): Promise<Ended> {
  return runProgram(
    'docker-compose',
    ['--ansi', 'never', '--project-directory', folder, '-f', `${folder}/shop.yml`, ...args],
    {
      env: { DOCKER_HOST: home.dockerHost, COMPOSE_PROJECT_NAME: 'shop', DOCKER_BUILDKIT: '0' },
      timeoutMs: 240_000,
    },
  );
}

const exec = async (service: string, ...command: string[]): Promise<string> =>
  ok(await compose('exec', '-T', service, ...command));

const containers = async (): Promise<string[]> =>
  (await docker('ps', '-aq', '--no-trunc', '--filter', 'label=com.docker.compose.project=shop')).split('\n').sort();

/** `web` ends at once unless the store answers when it starts. */
async function writeApplication(): Promise<void> {
  await mkdir(`${folder}/web`);
  await writeFile(
    `${folder}/web/Dockerfile`,
    `FROM ${busybox}
ARG GREETING=nothing
RUN mkdir /www && echo "$GREETING" > /www/index.html
CMD ["sh", "-c", "printf 'PING\\\\r\\\\nQUIT\\\\r\\\\n' | nc store 6379 | grep PONG && exec httpd -f -p 80 -h /www"]
`,
  );
  await writeFile(
    `${folder}/shop.yml`,
    `version: '2.4'
services:
  store:
    image: ${await imageOf('redis')}
    command: sh -c 'sleep 2; exec redis-server --bind 0.0.0.0 --protected-mode no --dir /data'
    volumes: ['data:/data']
    stop_grace_period: 0s
    healthcheck: { test: ['CMD', 'redis-cli', 'ping'], interval: 1s, timeout: 5s, retries: 60 }
  web:
    build: { context: web, args: { GREETING: ahoy from the shop } }
    depends_on: { store: { condition: service_healthy } }
    ports: ['127.0.0.1::80']
    stop_grace_period: 0s
  worker:
    image: ${busybox}
    command: sh -c 'echo at work; exec sleep 1000'
    depends_on: [store]
    networks: { default: { aliases: [crew] } }
    stop_grace_period: 0s
volumes: { data: {} }
`,
  );
}

dockerSuite(
  'docker-compose',
  () => {
    before(async () => {
      folder = await mkdtemp(path.join(os.tmpdir(), 'wherry-compose-'));
      await writeApplication();
    });
    after(() => rm(folder, { recursive: true, force: true }));

    test('up builds, waits for the store to be healthy, and publishes the port', async () => {
      const up = await compose('up', '-d', '--build');
      assert.match(ok(up), /Successfully built [0-9a-f]{12}\nSuccessfully tagged shop_web:latest/);
      const address = ok(await compose('port', 'web', '80'));
      assert.match(address, /^127\.0\.0\.1:\d+$/);
      assert.equal(await (await fetch(`http://${address}/`)).text(), 'ahoy from the shop\n');
    });

    test('ps, logs, exec, and one service found by another', async () => {
      const listed = ok(await compose('ps'));
      assert.match(listed, /^shop_store_1 .* Up \(healthy\)/m);
      assert.match(listed, /^shop_web_1 .* Up .*127\.0\.0\.1:\d+->80\/tcp/m);
      assert.match(listed, /^shop_worker_1 .* Up/m);
      const logs = ok(await compose('logs', '--no-color', 'worker', 'web'));
      assert.match(logs, /^worker_1 +\| at work$/m);
      assert.match(logs, /^web_1 +\| \+PONG/m);
      assert.equal(await exec('worker', 'wget', '-qO-', 'http://web/'), 'ahoy from the shop');
      assert.match(await exec('web', 'ping', '-c1', 'crew'), /1 packets received/);
      assert.equal((await compose('exec', '-T', 'worker', 'sh', '-c', 'exit 7')).code, 7);
      assert.equal(ok(await compose('run', '--rm', 'worker', 'echo', 'once')), 'once');
    });

    test('more and fewer of a service, all under one alias', async () => {
      const crew = async (): Promise<number> =>
        (await exec('web', 'nslookup', 'crew')).split('\n').filter((line) => /^Address: \d/.test(line)).length;
      ok(await compose('up', '-d', '--no-recreate', '--scale', 'worker=3'));
      assert.equal(await crew(), 3);
      ok(await compose('up', '-d', '--no-recreate', '--scale', 'worker=1'));
      assert.equal(await crew(), 1);
    });

    test('recreated containers have the data of those before; nothing changed means nothing is done', async () => {
      assert.equal(await exec('store', 'redis-cli', 'set', 'boat', 'wherry'), 'OK');
      assert.equal(await exec('store', 'redis-cli', 'save'), 'OK');
      const first = await containers();
      ok(await compose('up', '-d'));
      assert.deepEqual(await containers(), first);
      ok(await compose('up', '-d', '--force-recreate'));
      const second = await containers();
      assert.equal(second.length, 3);
      assert.deepEqual(
        second.filter((id) => first.includes(id)),
        [],
      );
      assert.equal(await exec('store', 'redis-cli', 'get', 'boat'), 'wherry');
    });

    test('down leaves no container, network, volume or image of it', async () => {
      ok(await compose('down', '--volumes', '--rmi', 'local'));
      const label = ['--filter', 'label=com.docker.compose.project=shop'];
      assert.deepEqual(await containers(), ['']);
      assert.equal(await docker('network', 'ls', '-q', ...label), '');
      assert.equal(await docker('volume', 'ls', '-q', ...label), '');
      assert.equal(await docker('images', '-q', 'shop_web'), '');
      assert.notEqual(
        await docker('images', '-q', await imageOf('redis')),
        '',
        'an image that has a name of its own stays',
      );
    });
  },
  { keeps: true },
);
