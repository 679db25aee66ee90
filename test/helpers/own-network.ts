/**
 * Runs a test file's tests in a network namespace of their own, as root, with an uplink to another one that plays the world:
 * in the guest beside the real agent, and on any Linux without touching its network.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { loadAddonKernel } from '../../vm/agent/kernel/addon-kernel.ts';
import { request } from '../../vm/agent/kernel/netlink/request.ts';
import { addAddress, createVeth, decodeLinks, getLink } from '../../vm/agent/kernel/netlink/route.ts';

const marker = 'WHERRY_TEST_OWN_NETWORK';
const runLimitMs = 240_000;

export const guestAddress = '10.0.2.15';
export const worldAddress = '10.0.2.2';

/** Path of the addon, in the guest or in the checkout. */
export function addonPath(): string {
  const built = path.resolve('build/native', process.arch === 'arm64' ? 'arm64' : 'amd64', 'kernel.node');
  return [built, '/usr/lib/wherry/kernel.node'].find((file) => existsSync(file)) ?? built;
}

/** Defines the tests when already there; else one test that runs the file again, there. */
export function inOwnNetwork(define: () => void): void {
  if (process.env[marker] !== undefined) {
    define();
    return;
  }
  test('in a network namespace of its own', { timeout: runLimitMs }, async (t) => {
    if (process.getuid?.() !== 0) {
      t.skip('needs root, to make network namespaces');
      return;
    }
    const [file] = process.argv.slice(1);
    assert.ok(file !== undefined);
    const options = process.execArgv.filter((option) => !option.startsWith('--test'));
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn('unshare', ['-n', process.execPath, ...options, '--test-reporter=spec', file], {
      env: { ...env, [marker]: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
      signal: t.signal,
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      process.stderr.write(chunk);
    });
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal(code, 0, output);
  });
}

/** A process with an empty network of its own: stands in for a container, or for the world. */
export interface StandIn {
  readonly pid: number;
  /** Runs a program in its network. */
  run(command: readonly string[], input?: string): Promise<{ readonly code: number | null; readonly output: string }>;
  /** Runs a Node script in its network until `stop`; resolves when it has printed `ready`. */
  serve(script: string): Promise<void>;
  stop(): Promise<void>;
}

export async function standIn(): Promise<StandIn> {
  const child = spawn('unshare', ['-n', 'sleep', '600'], { stdio: 'ignore' });
  const servers: ChildProcess[] = [];
  const pid = child.pid ?? 0;
  await hasItsOwnNetwork(pid);
  const enter = (command: readonly string[]) =>
    spawn('nsenter', ['-t', String(pid), '-n', ...command], { timeout: 30_000 });
  return {
    pid,
    async run(command, input = '') {
      const entered = enter(command);
      let output = '';
      for (const stream of [entered.stdout, entered.stderr]) {
        stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
      }
      entered.stdin.on('error', () => undefined);
      entered.stdin.end(input);
      const [code] = (await once(entered, 'close')) as [number | null];
      return { code, output };
    },
    async serve(script) {
      const server = spawn('nsenter', ['-t', String(pid), '-n', process.execPath, '-e', script]);
      servers.push(server);
      server.stderr.pipe(process.stderr);
      await Promise.race([once(server.stdout, 'data'), once(server, 'close').then(() => assert.fail('server ended'))]);
    },
    async stop() {
      for (const each of [...servers, child]) {
        if (each.exitCode !== null || each.signalCode !== null) continue;
        const closed = once(each, 'close');
        each.kill('SIGKILL');
        await closed;
      }
    },
  };
}

/** The world at the other end of `eth0`: 10.0.2.2, as QEMU's user network has it. */
export async function uplinkToWorld(): Promise<StandIn> {
  const world = await standIn();
  for (const file of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding']) writeFileSync(`/proc/sys/net/${file}`, '1');
  await makePair('eth0', 'world', world.pid);
  await sh(`
    ip link set lo up
    ip addr add ${guestAddress}/24 dev eth0
    ip link set eth0 up
    ip route add default via ${worldAddress}`);
  const made = await world.run([
    'sh',
    '-ec',
    `ip link set lo up; ip addr add ${worldAddress}/24 dev world; ip addr add 169.254.169.254/32 dev world; ip link set world up`,
  ]);
  assert.equal(made.code, 0, made.output);
  return world;
}

/** busybox's `ip`, all that the guest has, makes no pairs. */
async function makePair(name: string, peerName: string, peerPid: number): Promise<void> {
  const namespaceDescriptor = openSync(`/proc/${peerPid}/ns/net`, 'r');
  const socket = await loadAddonKernel(addonPath()).openNetlink('route');
  try {
    const peer = { name: peerName, mac: '02:00:00:00:00:02', namespaceDescriptor };
    await request(socket, [createVeth({ name, master: 0, mtu: 1500, peer })]);
  } finally {
    socket.close();
    closeSync(namespaceDescriptor);
  }
}

/** At once: busybox's `ip` would have it tried first whether somebody else has the address. */
export async function giveInet6(link: string, address: string, namespacePath?: string): Promise<void> {
  const socket = await loadAddonKernel(addonPath()).openNetlink('route', namespacePath);
  try {
    const [messages = []] = await request(socket, [getLink(link)]);
    await request(socket, [addAddress(decodeLinks(messages)[0]?.index ?? 0, address, 64)]);
  } finally {
    socket.close();
  }
}

/** In the tests' own network namespace. */
export async function sh(script: string): Promise<string> {
  const child = spawn('sh', ['-ec', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, `${script}\n${output}`);
  return output;
}

async function hasItsOwnNetwork(pid: number): Promise<void> {
  const own = readlinkSync('/proc/self/ns/net');
  for (;;) {
    // `unshare` first, and still in our network; then what it becomes.
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
    if (
      /(^|\0|\/)sleep\0/.test(command) &&
      !command.startsWith('unshare') &&
      readlinkSync(`/proc/${pid}/ns/net`) !== own
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
