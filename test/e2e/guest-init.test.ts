/** PID 1 of the guest from outside: what it does when its agent ends, on the power button, and when a disk is missing. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type MachineOptions, runMachine } from '../../vm/image/qemu.ts';
import { makeSeed } from '../../vm/image/seed.ts';
import type { TarEntry } from '../../vm/image/tar.ts';

const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
const imageFolder = path.resolve(import.meta.dirname, '..', '..', 'dist', 'guest', arch);
const bootMs = 120_000;

interface Machine {
  /** QEMU's exit code. */
  readonly ended: Promise<number>;
  readonly console: () => string;
  readonly monitorSocket: string;
  /** Waits until the console matches. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Boots a machine whose agent is the given script; it is killed when the test ends. */
async function boot(
  t: TestContext,
  agentScript: string,
  seed: readonly TarEntry[],
  args: Partial<MachineOptions['args']> = {},
): Promise<Machine> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-init-'));
  const payloadFolder = path.join(folder, 'payload');
  await mkdir(path.join(payloadFolder, 'agent'), { recursive: true });
  await writeFile(path.join(payloadFolder, 'agent', 'agent.js'), agentScript);
  await writeFile(path.join(payloadFolder, 'run.sh'), agentScript);
  const abort = new AbortController();
  const monitorSocket = path.join(folder, 'qmp');
  let text = '';
  const ended = runMachine({
    arch,
    imageFolder,
    args: { dev: true, ...args },
    seed,
    payloadFolder,
    monitorSocket,
    memoryMib: 512,
    cpus: 2,
    dataDiskBytes: 1024 ** 3,
    onConsole: (chunk) => (text += chunk.toString('latin1')),
    signal: AbortSignal.any([abort.signal, AbortSignal.timeout(bootMs)]),
  });
  t.after(async () => {
    abort.abort();
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  const waitFor = async (pattern: RegExp): Promise<RegExpExecArray> => {
    const over = ended.then(() => true);
    for (;;) {
      const isOver = await Promise.race([over, delay(50, false)]);
      const match = pattern.exec(text);
      if (match !== null) return match;
      if (isOver) throw new Error(`the machine ended without ${String(pattern)}; its console:\n${text}`);
    }
  };
  return { ended, console: () => text, monitorSocket, waitFor };
}

/** Sends one command to QEMU's monitor. */
async function monitorCommand(socketPath: string, command: string): Promise<void> {
  const socket = createConnection(socketPath);
  const send = (name: string): boolean => socket.write(`${JSON.stringify({ execute: name })}\n`);
  send('qmp_capabilities');
  send(command);
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    assert.doesNotMatch(text, /"error"/);
    if ((text.match(/"return"/g)?.length ?? 0) >= 2) break;
  }
  socket.destroy();
}

const seedOf = async (hostname: string): Promise<readonly TarEntry[]> =>
  (await makeSeed({ hostname, clockMs: Date.now() })).entries;

test('the agent is started again when it ends, and told when the power button takes the guest down', async (t) => {
  const script = `
    const fs = require('node:fs');
    const { spawn } = require('node:child_process');
    const first = !fs.existsSync('/run/first');
    fs.writeFileSync('/run/first', '');
    if (first) process.exit(3);
    // Two generations, so that the younger is left to PID 1.
    spawn('sh', ['-c', '(sleep 0.1; exit 5) & exit 0']).on('exit', () => setTimeout(report, 1500));
    function report() {
      const states = fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).map((pid) => {
        try { return fs.readFileSync('/proc/' + pid + '/stat', 'utf8'); } catch { return ''; }
      });
      const zombies = states.filter((stat) => / Z 1 /.test(stat)).length;
      console.log('up again; zombies=' + zombies + ' name=' + require('node:os').hostname());
      console.log('cgroup=' + fs.readFileSync('/proc/self/cgroup', 'utf8').trim());
      console.log('buttons=' + fs.readdirSync('/proc/1/fd').filter((fd) => {
        try { return fs.readlinkSync('/proc/1/fd/' + fd).startsWith('/dev/input/'); } catch { return false; }
      }).length + ' ready');
    }
    process.on('SIGTERM', () => {
      console.log('asked to end; guest goes down: ' + fs.existsSync('/run/wherry/shutdown'));
      process.exit(0);
    });
    setInterval(() => {}, 1000);`;
  const machine = await boot(t, script, await seedOf('a-name'));
  await machine.waitFor(/ended with code 3; starting it again in 250 ms/);
  await machine.waitFor(/up again; zombies=0 name=a-name/);
  await machine.waitFor(/cgroup=0::\/wherry-agent\r?$/m);
  const [, buttons] = await machine.waitFor(/buttons=(\d+) ready/);
  assert.notEqual(Number(buttons), 0, 'the power button is open');
  await monitorCommand(machine.monitorSocket, 'system_powerdown');
  await machine.waitFor(/wherry: stage power-off/);
  await machine.waitFor(/asked to end; guest goes down: true/);
  assert.equal(await machine.ended, 0);
});

test('an agent that will not end does not keep the guest up', async (t) => {
  const script = `
    process.on('SIGTERM', () => console.log('will not end'));
    process.kill(1, 'SIGUSR2');
    setInterval(() => {}, 1000);`;
  const machine = await boot(t, script, await seedOf('stubborn'));
  await machine.waitFor(/will not end/);
  assert.equal(await machine.ended, 0);
});

test('a hostile seed is reported and the guest comes up all the same', async (t) => {
  const entries: TarEntry[] = [{ kind: 'file', path: '../../etc/owned', content: 'x' }];
  const script = `console.log('agent runs; name=' + require('node:os').hostname()); process.kill(1, 'SIGTERM');`;
  const machine = await boot(t, script, entries);
  await machine.waitFor(/warning: seed entry '\.\.\/\.\.\/etc\/owned' leaves the seed folder/);
  await machine.waitFor(/agent runs; name=wherry\r?$/m);
  assert.equal(await machine.ended, 0);
});

test("a payload's exit code and output reach the console, and its machine leaves nothing behind", async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-only-'));
  const outer = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  t.after(async () => {
    if (outer === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = outer;
    await rm(folder, { recursive: true, force: true });
  });
  const machine = await boot(t, 'echo the payload runs; exit 42', await seedOf('payload'), { payload: 'run' });
  await machine.waitFor(/the payload runs/);
  await machine.waitFor(/^wherry-payload-exit: 42\r?$/m);
  assert.equal(await machine.ended, 0);
  const left = await readdir(folder);
  assert.deepEqual(
    left.filter((name) => !name.startsWith('wherry-init-')),
    [],
  );
});

test('without a system disk the guest says so and powers off', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-no-system-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const name of ['vmlinuz', 'initramfs.img']) {
    await copyFile(path.join(imageFolder, name), path.join(folder, name));
  }
  await writeFile(path.join(folder, 'system.erofs'), Buffer.alloc(1024 * 1024));
  let text = '';
  const code = await runMachine({
    arch,
    imageFolder: folder,
    args: {},
    seed: [],
    memoryMib: 512,
    cpus: 1,
    dataDiskBytes: 1024 * 1024,
    onConsole: (chunk) => (text += chunk.toString('latin1')),
    signal: AbortSignal.timeout(bootMs),
  });
  assert.equal(code, 0);
  assert.match(text, /wherry: fatal: mount \/dev\/vda as erofs: Invalid argument/);
});
