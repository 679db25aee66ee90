/** Health checks as the stock docker CLI and docker-compose see them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { busybox, docker, dockerSuite, home } from '../helpers/docker.ts';
import { until } from '../helpers/until.ts';
import { ok, runProgram } from '../helpers/wherry-cli.ts';

const statusOf = (name: string): Promise<string> => docker('inspect', '-f', '{{.State.Health.Status}}', name);

dockerSuite('health checks', () => {
  test('starting, healthy, unhealthy, with events; the agent’s end does not stop the checks', async () => {
    const since = String(Math.floor(Date.now() / 1000) - 5);
    await docker(
      ...['run', '-d', '--name', 'web', '--stop-timeout', '0', '--health-cmd', 'cat /tmp/up', '--health-retries', '2'],
      ...['--health-interval', '1s', '--health-start-period', '300s', '--health-start-interval', '1s', busybox],
      ...['sleep', '1000'],
    );
    assert.equal(await statusOf('web'), 'starting');
    assert.match(await docker('ps', '--filter', 'name=web', '--format', '{{.Status}}'), /\(health: starting\)$/);
    await docker('exec', 'web', 'touch', '/tmp/up');
    await until('healthy', async () => (await statusOf('web')) === 'healthy');
    assert.equal(await docker('ps', '-q', '--no-trunc', '--filter', 'health=starting'), '');
    assert.match(await docker('ps', '--filter', 'health=healthy', '--format', '{{.Status}}'), /\(healthy\)$/);
    await docker('exec', 'web', 'rm', '/tmp/up');
    await until('unhealthy', async () => (await statusOf('web')) === 'unhealthy');
    const kept = JSON.parse(await docker('inspect', '-f', '{{json .State.Health.Log}}', 'web')) as {
      readonly ExitCode: number;
      readonly Output: string;
    }[];
    assert.equal(kept.at(-1)?.ExitCode, 1);
    assert.match(kept.at(-1)?.Output ?? '', /can't open '\/tmp\/up'/);
    const now = String(Math.ceil(Date.now() / 1000) + 1);
    const events = await docker(
      ...['events', '--since', since, '--until', now, '--filter', 'event=health_status', '--format', '{{.Action}}'],
    );
    assert.deepEqual(events.split('\n'), ['health_status: healthy', 'health_status: unhealthy']);
    await docker('stop', 'web');
    await docker('start', 'web');
    assert.equal(await statusOf('web'), 'starting');
  });

  test('a probe that hangs is killed, and nothing of it stays in the container', async () => {
    await docker(
      ...['run', '-d', '--name', 'stuck', '--stop-timeout', '0', '--health-cmd', 'sleep 777; true'],
      ...['--health-interval', '1s', '--health-timeout', '1s', '--health-retries', '1', busybox, 'sleep', '1000'],
    );
    await until('unhealthy', async () => (await statusOf('stuck')) === 'unhealthy');
    assert.match(
      await docker('inspect', '-f', '{{(index .State.Health.Log 0).Output}}', 'stuck'),
      /exceeded timeout \(1s\)/,
    );
    await docker('update', '--restart', 'no', 'stuck');
    await docker('pause', 'stuck');
    await docker('unpause', 'stuck');
    const top = await docker('top', 'stuck');
    assert.ok(top.split('\n').filter((line) => line.includes('sleep 777; true')).length <= 1, top);
  });

  test('--no-healthcheck, and words the engine refuses', async () => {
    await docker('run', '-d', '--name', 'plain', '--stop-timeout', '0', '--no-healthcheck', busybox, 'sleep', '1000');
    assert.equal(await docker('inspect', '-f', '{{.State.Health}}', 'plain'), '<nil>');
    const refused = await home.docker(['create', '--health-cmd', 'x', '--health-interval', '1us', busybox]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Interval in Healthcheck cannot be less than 1ms/);
  });

  test('docker-compose waits for a dependency to be healthy', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'wherry-compose-'));
    try {
      const file = `version: '2.4'
services:
  db:
    image: ${busybox}
    command: sh -c 'sleep 2; touch /tmp/ready; sleep 1000'
    stop_grace_period: 0s
    healthcheck: { test: ['CMD', 'test', '-e', '/tmp/ready'], interval: 1s, retries: 60 }
  app:
    image: ${busybox}
    command: sleep 1000
    stop_grace_period: 0s
    depends_on: { db: { condition: service_healthy } }
`;
      await writeFile(path.join(folder, 'docker-compose.yml'), file);
      const compose = (...args: string[]) =>
        runProgram('docker-compose', ['--project-directory', folder, '-f', `${folder}/docker-compose.yml`, ...args], {
          env: { DOCKER_HOST: home.dockerHost, COMPOSE_PROJECT_NAME: 'waits' },
        });
      ok(await compose('up', '-d'));
      assert.match(await docker('ps', '--format', '{{.Names}} {{.Status}}'), /waits_db_1 Up .* \(healthy\)/);
      assert.match(await docker('ps', '--format', '{{.Names}}'), /waits_app_1/);
      ok(await compose('down'));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
