/**
 * What the host must survive, through the command line a user has: QEMU missing, a stop during the boot, two starts at
 * once, the owner killed, QEMU killed, the agent (and with it the link) killed, a port taken. One home for the file.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { collect, WherryHome, type Ended } from '../helpers/wherry-cli.ts';

const image = 'wherry/starter';
const command = path.resolve(import.meta.dirname, '..', '..', 'src-main', 'setup', 'wherry.mjs');
const statusSchema = z.object({
  ready: z.boolean(),
  owner: z.object({ pid: z.number(), role: z.string() }).nullable(),
  process: z.object({ pid: z.number() }).nullable(),
  vm: z
    .object({
      state: z.object({ kind: z.string(), message: z.string().optional() }),
      backend: z.object({ accelerator: z.string() }).optional(),
      warnings: z.array(z.object({ message: z.string(), hint: z.string() })),
    })
    .nullable(),
});

let home: WherryHome;

before(async () => {
  home = await WherryHome.create();
  ok(
    await home.wherry([
      'settings',
      'vm.memoryMiB=1024',
      'vm.cpus=1',
      'vm.diskGiB=8',
      'network.addressPools=10.66.0.0/16:24',
    ]),
  );
});

after(() => home[Symbol.asyncDispose]());

function ok(ended: Ended): string {
  assert.equal(ended.code, 0, `${ended.stderr}\n${ended.stdout}`);
  return ended.stdout.trim();
}

async function status() {
  return statusSchema.parse(JSON.parse((await home.wherry(['status', '--json'])).stdout));
}

/** Tries until it succeeds: something is recovering. */
async function eventually(what: string, attempt: () => Promise<Ended>): Promise<string> {
  let last: Ended | undefined;
  for (let tries = 0; tries < 60; tries++) {
    last = await attempt();
    if (last.code === 0) return last.stdout.trim();
    await sleep(500);
  }
  assert.fail(`${what}: ${last?.stderr ?? ''}`);
}

function isAlive(pid: number): boolean {
  try {
    // After the name in brackets comes the state; a zombie only waits for its parent to read its exit code (proc(5)).
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false; // No such process.
  }
}

describe('before the first boot', () => {
  test('without QEMU, up fails with the install command and leaves nothing running', async () => {
    const ended = await home.wherry(['up'], { env: { PATH: '/nonexistent' } });
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /qemu-system-\w+ is not installed/);
    assert.match(ended.stderr, /Install it with: /);
    ok(await home.wherry(['down']));
    assert.deepEqual([(await status()).owner, (await status()).process], [null, null]);
  });

  test('a stop during the boot ends it, and says so to who waits', async () => {
    const up = spawn(process.execPath, [command, 'up'], { env: { ...process.env, ...home.env } });
    const ended = collect(up);
    const booting = new Promise<void>((resolve) => {
      up.stderr.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('Waiting for the guest')) resolve();
      });
    });
    await Promise.race([booting, ended]);
    const { process: vm } = await status();
    assert.ok(vm !== null, 'the VM was starting');
    ok(await home.wherry(['down']));
    assert.equal((await ended).code, 1);
    assert.equal((await status()).process, null);
  });
});

describe('with a VM', () => {
  before(async () => {
    const both = await Promise.all([home.wherry(['up', '--json']), home.wherry(['up', '--json'])]);
    for (const ended of both) ok(ended);
    // The engine answers before it has imported the image it carries.
    await eventually('the starter image', () => home.docker(['image', 'inspect', image]));
    ok(await home.docker(['create', '--name', 'kept', image, 'true']));
  });

  test('two starts at once have one owner and one VM', async () => {
    const found = await status();
    assert.equal(found.ready, true);
    assert.equal(found.owner?.role, 'background');
    const pid = Number(await readFile(path.join(home.path, 'vm', 'qemu.pid'), 'utf8'));
    assert.equal(found.process?.pid, pid);
  });

  test('an accelerator that is present but unusable was passed over with a reason', async (t) => {
    const { vm } = await status();
    const present = await access('/dev/kvm').then(
      () => true,
      () => false,
    );
    if (!present || vm?.backend?.accelerator === 'kvm') {
      t.skip('KVM is absent or works here');
      return;
    }
    assert.equal(vm?.backend?.accelerator, 'tcg');
    assert.match(vm.warnings[0]?.message ?? '', /\(kvm\) does not work here/);
  });

  test('the doctor finds no stage broken', async () => {
    const printed = ok(await home.wherry(['doctor']));
    assert.match(printed, /No stage is broken/);
  });

  test('a port that is taken names who holds it, and the container does not start', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const ended = await home.docker(['run', '--rm', '-p', `${port}:80`, image, 'true']);
      assert.equal(ended.code, 125);
      assert.match(ended.stderr, /port is already allocated/);
      assert.match(ended.stderr, new RegExp(`process ${process.pid}`));
    } finally {
      server.close();
    }
  });

  test('a published port answers on loopback and is gone with its container', async () => {
    const serve = 'mkdir -p /tmp/www && echo hello > /tmp/www/index.html && exec httpd -f -p 80 -h /tmp/www';
    ok(await home.docker(['run', '-d', '--name', 'web', '-p', '0:80', image, 'sh', '-c', serve]));
    const address = ok(await home.docker(['port', 'web', '80'])).split('\n')[0] ?? '';
    const fetchPage = async (): Promise<Ended> => {
      try {
        const response = await fetch(`http://${address}/`, { signal: AbortSignal.timeout(5000) });
        return { code: response.ok ? 0 : 1, stdout: await response.text(), stderr: String(response.status) };
      } catch (error) {
        return { code: 1, stdout: '', stderr: String(error) };
      }
    };
    assert.equal(await eventually('fetch the page', fetchPage), 'hello');
    ok(await home.docker(['rm', '-f', 'web']));
    assert.equal((await fetchPage()).code, 1);
  });

  test('the room of what is removed goes back to the host', async () => {
    const heldMiB = (): number => (statSync(path.join(home.path, 'vm', 'data.qcow2')).blocks * 512) / 1024 ** 2;
    const before = heldMiB();
    const fill = 'dd if=/dev/urandom of=/v/f bs=1M count=48 && sync';
    ok(await home.docker(['run', '--rm', '-v', 'full:/v', image, 'sh', '-c', fill]));
    assert.ok(heldMiB() >= before + 48, `${heldMiB()} MiB after ${before} MiB`);
    ok(await home.docker(['volume', 'rm', 'full']));
    await eventually('shrink', () => {
      const held = heldMiB();
      return Promise.resolve({ code: held < before + 24 ? 0 : 1, stdout: '', stderr: `${held} MiB, ${before} before` });
    });
  });

  test('kill -9 of the owner: the VM runs on, status tells the truth, up attaches to it', async () => {
    const found = await status();
    ok(await home.docker(['run', '-d', '--name', 'runs', image, 'sleep', '1000']));
    process.kill(found.owner?.pid ?? 0, 'SIGKILL');
    while ((await status()).owner !== null) await sleep(100);
    const orphaned = await home.wherry(['status']);
    assert.match(orphaned.stdout, /no Wherry attached/);
    ok(await home.wherry(['up']));
    const again = await status();
    assert.equal(again.process?.pid, found.process?.pid);
    assert.notEqual(again.owner?.pid, found.owner?.pid);
    assert.equal(ok(await home.docker(['inspect', '-f', '{{.State.Running}}', 'runs'])), 'true');
  });

  test('kill -9 of the agent under load: the link comes back by itself, containers run on', async () => {
    const follower = home.spawnDocker(['events']);
    const followed = collect(follower);
    const agent =
      ok(await home.wherry(['ssh', '--', 'pidof', 'node']))
        .split(/\s+/)
        .at(-1) ?? '';
    await home.wherry(['ssh', '--', 'kill', '-9', agent]);
    await followed;
    await eventually('docker version after the agent was killed', () => home.docker(['version']));
    assert.equal(ok(await home.docker(['inspect', '-f', '{{.State.Running}}', 'runs'])), 'true');
    assert.equal((await status()).ready, true);
  });

  test('kill -9 of QEMU: status says so, up boots again, nothing is lost', async () => {
    ok(await home.docker(['network', 'create', 'harbour']));
    const subnetOf = async (name: string) =>
      ok(await home.docker(['network', 'inspect', '-f', '{{(index .IPAM.Config 0).Subnet}}', name]));
    assert.equal(await subnetOf('harbour'), '10.66.0.0/24');
    assert.match(
      (await home.wherry(['settings', 'network.addressPools=10.77.0.0/16:26'])).stderr,
      /next: network\.addressPools/,
    );
    ok(await home.docker(['create', '--name', 'docked', '--network', 'harbour', image, 'sleep', '1000']));
    const found = await status();
    process.kill(found.process?.pid ?? 0, 'SIGKILL');
    while ((await status()).process !== null) await sleep(100);
    const failed = await home.wherry(['status', '--json']);
    assert.equal(failed.code, 3);
    assert.match(failed.stdout, /"kind":"failed"/);
    ok(await home.wherry(['up']));
    assert.notEqual((await status()).process?.pid, found.process?.pid);
    const names = ok(await home.docker(['ps', '-a', '--format', '{{.Names}}'])).split('\n');
    assert.ok(names.includes('kept') && names.includes('runs'), names.join());
    ok(await home.docker(['start', '-a', 'kept']));
    ok(await home.docker(['start', 'docked']));
    ok(await home.docker(['run', '--rm', '--network', 'harbour', image, 'ping', '-c1', 'docked']));
    ok(await home.docker(['network', 'create', 'later']));
    assert.deepEqual([await subnetOf('harbour'), await subnetOf('later')], ['10.66.0.0/24', '10.77.0.0/26']);
    assert.match(ok(await home.docker(['info'])), /Base: 10\.77\.0\.0\/16, Size: 26/);
  });

  test('a report tells of the engine; a reset leaves nothing of what was in it, and boots', async () => {
    const report = ok(await home.wherry(['diagnose']));
    assert.match(report, /== Engine: GET \/containers\/json[^]*"\/kept"[^]*== Serial console[^]*wherry: stage engine/);
    ok(await home.docker(['volume', 'create', 'gone']));
    ok(await home.wherry(['reset', '--yes']));
    assert.equal(ok(await home.docker(['ps', '-aq'])) + ok(await home.docker(['volume', 'ls', '-q'])), '');
    assert.equal(ok(await home.docker(['images', '--format', '{{.Repository}}'])).trim(), 'wherry/starter');
  });

  test('down ends the VM, the owner and the socket', async () => {
    const found = await status();
    ok(await home.wherry(['down']));
    const after_ = await status();
    assert.deepEqual([after_.owner, after_.process], [null, null]);
    assert.equal(isAlive(found.owner?.pid ?? 0), false);
    await assert.rejects(access(path.join(home.path, 'docker.sock')), { code: 'ENOENT' });
    assert.equal((await home.wherry(['down'])).code, 0, 'once more is harmless');
  });
});
