/** The addon on a real kernel. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { loadAddonKernel } from '../../vm/agent/kernel/addon-kernel.ts';
import { request } from '../../vm/agent/kernel/netlink/request.ts';
import { decodeLinks, listLinks } from '../../vm/agent/kernel/netlink/route.ts';
import { addonPath, standIn } from '../helpers/own-network.ts';
import { kernelSuite } from '../suites/kernel.ts';

const kernel = loadAddonKernel(addonPath());
const folder = mkdtempSync(path.join(tmpdir(), 'wherry-kernel-'));
after(() => rmSync(folder, { recursive: true }));

kernelSuite('addon', () => ({ kernel, missingFolder: path.join(folder, 'missing') }));

test('mount and unmount', async () => {
  const target = path.join(folder, 'mounted');
  mkdirSync(target);
  await kernel.mount({ source: 'none', target, type: 'tmpfs', flags: ['nosuid', 'noexec'], data: 'size=64k' });
  assert.match(readFileSync('/proc/self/mounts', 'utf8'), new RegExp(`${target} tmpfs rw,nosuid,noexec,.*size=64k`));
  await kernel.syncFilesystem(target);
  await assert.rejects(kernel.trim(target), { code: /EOPNOTSUPP|ENOTTY/ });
  await kernel.unmount(target, []);
  await assert.rejects(kernel.unmount(target, []), { code: 'EINVAL' });
});

test('nothing is opened outside of the folder', async () => {
  const root = path.join(folder, 'root');
  mkdirSync(root);
  writeFileSync(path.join(folder, 'secret'), 'secret');
  writeFileSync(path.join(root, 'file'), 'inside');
  symlinkSync('/secret', path.join(root, 'absolute'));
  symlinkSync('../secret', path.join(root, 'relative'));
  const descriptor = openSync(root, 'r');
  const open = (name: string, resolve: 'beneath' | 'in_root') =>
    kernel.open({ folder: descriptor, path: name, flags: constants.O_RDONLY, resolve: [resolve] });
  try {
    const opened = await open('file', 'beneath');
    assert.equal(readFileSync(opened, 'utf8'), 'inside');
    closeSync(opened);
    for (const name of ['relative', 'absolute', '../secret']) {
      await assert.rejects(open(name, 'beneath'), { code: 'EXDEV' }, name);
      await assert.rejects(open(name, 'in_root'), { code: 'ENOENT' }, name);
    }
  } finally {
    closeSync(descriptor);
  }
});

test('a NUL in a path is refused, not cut at', async () => {
  await assert.rejects(async () => kernel.unmount('/\0/x', []), TypeError);
});

test('a process by its descriptor: alive, killed, and then no other', async () => {
  const child = spawn('sleep', ['60']);
  const closed = once(child, 'close');
  const descriptor = await kernel.openProcess(child.pid ?? 0);
  try {
    await kernel.signalProcess(descriptor, 0);
    await kernel.signalProcess(descriptor, 9);
    assert.deepEqual(await closed, [null, 'SIGKILL']);
    await assert.rejects(kernel.signalProcess(descriptor, 0), { code: 'ESRCH' });
  } finally {
    closeSync(descriptor);
  }
});

test('a lock held by one is refused to another', async () => {
  const file = path.join(folder, 'lock');
  const one = openSync(file, 'w');
  const two = openSync(file, 'w');
  try {
    await kernel.lockFile(one, 'exclusive');
    await assert.rejects(kernel.lockFile(two, 'exclusive'), { code: 'EAGAIN' });
    await kernel.lockFile(one, 'unlock');
    await kernel.lockFile(two, 'exclusive');
  } finally {
    closeSync(one);
    closeSync(two);
  }
});

test('a socket of another namespace sees its links; every thread is back afterwards', async () => {
  const other = await standIn();
  try {
    const sockets = await Promise.all(
      Array.from({ length: 40 }, () => kernel.openNetlink('route', `/proc/${other.pid}/ns/net`)),
    );
    const seen = await Promise.all(sockets.map((socket) => request(socket, [listLinks()])));
    for (const [messages = []] of seen) {
      const names = decodeLinks(messages).map(({ name }) => name);
      assert.ok(names.includes('lo') && !names.some((name) => /^(eth|en|docker)/.test(name)), names.join(' '));
    }
    for (const socket of sockets) socket.close();
    const own = readlinkSync('/proc/self/ns/net');
    assert.deepEqual(
      threadNamespaces().filter((namespace) => namespace !== own),
      [],
    );
    await assert.rejects(kernel.openNetlink('route', '/proc/self/ns/uts'), { code: 'EINVAL' });
    await assert.rejects(kernel.openNetlink('route', '/nowhere'), { code: 'ENOENT' });
  } finally {
    await other.stop();
  }
});

const threadNamespaces = (): string[] =>
  readdirSync('/proc/self/task').map((thread) => readlinkSync(`/proc/self/task/${thread}/ns/net`));
