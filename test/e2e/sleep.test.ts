/**
 * A VM that sleeps, through the command line and the docker CLI a user has: what runs in it runs on after it, whatever becomes of
 * the saved state nothing stored is lost, and two wakes at once are one. One home for the file.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { until } from '../helpers/until.ts';
import { collect, ok, WherryHome } from '../helpers/wherry-cli.ts';

const image = 'wherry/starter';
const statusSchema = z.object({
  ready: z.boolean(),
  asleep: z.boolean(),
  owner: z.object({ pid: z.number() }).nullable(),
  process: z.object({ pid: z.number() }).nullable(),
  vm: z
    .object({
      state: z.object({ kind: z.string(), step: z.string().optional() }),
      warnings: z.array(z.object({ message: z.string() })),
    })
    .nullable(),
});

let home: WherryHome;

before(async () => {
  home = await WherryHome.create();
  ok(await home.wherry(['settings', 'vm.memoryMiB=1024', 'vm.cpus=1', 'vm.diskGiB=8', 'sleepAfterMinutes=0']));
  ok(await home.wherry(['up']));
  await until('the starter image', async () => (await home.docker(['image', 'inspect', image])).code === 0);
});

after(() => home[Symbol.asyncDispose]());

async function status() {
  return statusSchema.parse(JSON.parse((await home.wherry(['status', '--json'])).stdout));
}

const file = (name: string): string => path.join(home.path, 'vm', name);

/** Puts it to sleep and proves that it is; gives the process that is gone. */
async function fallAsleep(): Promise<number> {
  const pid = (await status()).process?.pid ?? 0;
  ok(await home.wherry(['sleep']));
  const asleep = await status();
  assert.deepEqual(
    [asleep.process, asleep.asleep, asleep.vm?.state],
    [null, true, { kind: 'sleeping', step: 'saved' }],
  );
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  return pid;
}

const pidOf = async (name: string): Promise<string> => ok(await home.docker(['inspect', '-f', '{{.State.Pid}}', name]));
const runningOf = async (name: string): Promise<string> =>
  ok(await home.docker(['inspect', '-f', '{{.State.Running}}', name]));

describe('a VM that sleeps', () => {
  test('its process is gone, a docker command wakes it, and its containers have noticed nothing but the time', async () => {
    const script =
      'mkdir -p /w; echo hello > /w/index.html; httpd -p 80 -h /w; i=0; while :; do echo $i; i=$((i+1)); sleep 1; done';
    ok(await home.docker(['run', '-d', '--name', 'counter', '-p', '127.0.0.1:0:80', image, 'sh', '-c', script]));
    const address = ok(await home.docker(['port', 'counter', '80']));
    const pid = await pidOf('counter');
    await until('lines', async () => ok(await home.docker(['logs', 'counter'])).split('\n').length > 2);
    await fallAsleep();
    await delay(4000);
    assert.equal((await status()).process, null, 'looking does not wake it');
    assert.match(ok(await home.wherry(['doctor'])), /process +asleep/);
    assert.match(ok(await home.wherry(['diagnose'])), /"kind": "sleeping"/);
    assert.equal((await status()).process, null, 'nor does the doctor');
    const [first, second] = await Promise.all([home.docker(['ps', '-q']), home.docker(['version'])]);
    assert.deepEqual([first.code, second.code], [0, 0], 'two at once');
    const woken = await status();
    assert.deepEqual([woken.vm?.state.kind, woken.asleep], ['ready', false]);
    assert.deepEqual(
      woken.vm?.warnings.filter(({ message }) => /saved state|clock/.test(message)),
      [],
    );
    assert.ok(!existsSync(file('sleep.state')) && !existsSync(file('sleep.json')), 'it is used up');
    assert.equal(await pidOf('counter'), pid);
    const lines = ok(await home.docker(['logs', 'counter']))
      .split('\n')
      .map(Number);
    assert.deepEqual(lines, [...lines.keys()], 'its log goes on without a gap');
    await until(
      'the log goes on',
      async () => ok(await home.docker(['logs', 'counter'])).split('\n').length > lines.length,
    );
    const askedMs = Date.now();
    const guestMs = Number(ok(await home.docker(['exec', 'counter', 'date', '+%s']))) * 1000;
    const offMs = Math.max(askedMs - guestMs, guestMs - Date.now());
    assert.ok(offMs < 3000, `the clock is ${offMs} ms off: it slept for longer`);
    await until(
      'the published port',
      async () => (await fetch(`http://${address}/`).catch(() => undefined))?.ok === true,
    );
  });

  test('who connects to a published port wakes it, and is answered', async () => {
    const address = ok(await home.docker(['port', 'counter', '80']));
    const pid = await pidOf('counter');
    await fallAsleep();
    const pages = await Promise.all(
      ['one', 'two'].map(async (name) => (await fetch(`http://${address}/?${name}`)).text()),
    );
    assert.deepEqual(pages, ['hello\n', 'hello\n']);
    assert.equal(await pidOf('counter'), pid, 'after a boot it would be another');
    assert.equal(await (await fetch(`http://${address}/`)).text(), 'hello\n');
  });

  test('ssh wakes it too, and up says that it is up', async () => {
    await fallAsleep();
    assert.equal(ok(await home.wherry(['ssh', 'counter', '--', 'echo', 'here'])), 'here');
    await fallAsleep();
    ok(await home.wherry(['up']));
    assert.equal(await runningOf('counter'), 'true', 'after a boot it would not');
  });

  test('the owner killed meanwhile: its successor finds it asleep', async () => {
    const pid = await pidOf('counter');
    await fallAsleep();
    process.kill((await status()).owner?.pid ?? 0, 'SIGKILL');
    await until('no owner', async () => (await status()).owner === null);
    assert.match((await home.wherry(['status'])).stdout, /asleep, with no Wherry attached/);
    ok(await home.wherry(['up']));
    assert.equal(await pidOf('counter'), pid);
  });

  test('a pull under way refuses it, and goes on', async (t) => {
    const registry = await stallingRegistry();
    t.after(() => registry.close());
    const pull = home.spawnDocker(['pull', `localhost:${registry.port}/slow:1`]);
    const ended = collect(pull);
    await registry.asked;
    const refused = await home.wherry(['sleep']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /a pull is under way/);
    assert.equal((await status()).ready, true);
    pull.kill('SIGINT');
    await ended;
  });

  test('QEMU killed while it is saved: sleep fails, the next command boots', async () => {
    ok(await home.docker(['volume', 'create', 'kept']));
    const { process: vm } = await status();
    const sleeping = home.wherry(['sleep']);
    while (!existsSync(file('sleep.state.part'))) await delay(5);
    process.kill(vm?.pid ?? 0, 'SIGKILL');
    assert.equal((await sleeping).code, 1);
    assert.ok(!existsSync(file('sleep.json')));
    await until('docker', async () => (await home.docker(['volume', 'inspect', 'kept'])).code === 0);
    assert.notEqual((await status()).process?.pid, vm?.pid);
  });

  test('a damaged state is dropped: it boots, with everything stored', async () => {
    ok(
      await home.docker([
        'run',
        '-d',
        '--name',
        'lost',
        '-v',
        'kept:/v',
        image,
        'sh',
        '-c',
        'echo stored > /v/f; sleep 1000',
      ]),
    );
    await fallAsleep();
    const state = await open(file('sleep.state'), 'r+');
    await state.write('damage', Math.floor((await stat(file('sleep.state'))).size / 2));
    await state.close();
    assert.equal(ok(await home.docker(['run', '--rm', '-v', 'kept:/v', image, 'cat', '/v/f'])), 'stored');
    assert.match((await status()).vm?.warnings[0]?.message ?? '', /saved state could not be used.*damaged/);
    assert.equal(await runningOf('lost'), 'false');
    assert.ok(!existsSync(file('sleep.state')));
  });

  test('nobody uses it: it sleeps by itself, and a container that runs keeps it awake', async () => {
    const started = performance.now();
    ok(await home.wherry(['settings', 'sleepAfterMinutes=1']));
    ok(await home.docker(['run', '-d', '--name', 'brief', '--stop-timeout', '0', image, 'sleep', '15']));
    await until('asleep', () => existsSync(file('sleep.json')));
    assert.ok(performance.now() - started > 70_000, 'counted from the last that ran');
    ok(await home.wherry(['settings', 'sleepAfterMinutes=0']));
    assert.equal((await status()).asleep, true, 'a setting is no use of it');
    assert.equal(await runningOf('brief'), 'false');
  });

  test('down of a VM that sleeps ends it cleanly, and says so', async () => {
    ok(
      await home.docker([
        'run',
        '-d',
        '--name',
        'tidy',
        '--stop-timeout',
        '5',
        '-v',
        'kept:/v',
        image,
        'sh',
        '-c',
        'trap "echo tidy > /v/f; exit 0" TERM; while :; do sleep 0.2; done',
      ]),
    );
    await fallAsleep();
    ok(await home.wherry(['down']));
    const { asleep, process: vm, owner } = await status();
    assert.deepEqual([asleep, vm, owner], [false, null, null]);
    ok(await home.wherry(['up']));
    assert.equal(ok(await home.docker(['run', '--rm', '-v', 'kept:/v', image, 'cat', '/v/f'])), 'tidy');
  });
});

/** A registry that takes its time for ever. */
async function stallingRegistry(): Promise<{ port: number; asked: Promise<unknown>; close: () => void }> {
  const server = createServer(() => undefined);
  const asked = once(server, 'request');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
