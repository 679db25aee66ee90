import assert from 'node:assert/strict';
import { setImmediate as soon } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { goFileMode, pathStat } from '../../../../../vm/agent/http/container-files.ts';
import { boundPaths, cleanPath } from '../../../../../vm/agent/use-cases/container-files.ts';
import { Copies } from '../../../../../vm/agent/use-cases/copies.ts';

test('paths are absolute and clean, and keep a slash or dot that means the folder behind a link', () => {
  const cases: readonly (readonly [given: string, clean: string])[] = [
    ['etc/passwd', '/etc/passwd'],
    ['/a/../../b//c', '/b/c'],
    ['/link/', '/link/'],
    ['/link/.', '/link/.'],
    ['/link/./', '/link/.'],
    ['/', '/'],
    ['.', '/.'],
    ['..', '/'],
    ['/a/.b', '/a/.b'],
  ];
  for (const [given, clean] of cases) assert.equal(cleanPath(given), clean, given);
  assert.throws(() => cleanPath('/a\0b'), /NUL/);
});

test('modes as Go numbers them', () => {
  assert.equal(goFileMode(0o100644), 0o644);
  assert.equal(goFileMode(0o040755), 2147484141); // drwxr-xr-x
  assert.equal(goFileMode(0o120777), 134218239); // Lrwxrwxrwx
  assert.equal(goFileMode(0o041777), 2 ** 31 + 2 ** 20 + 0o777);
  assert.equal(goFileMode(0o104755), 2 ** 23 + 0o755);
  assert.equal(goFileMode(0o020620), 2 ** 26 + 2 ** 21 + 0o620);
});

test('the header describes the file', () => {
  const found = { mode: 0o120777, size: 6, seconds: 1_700_000_000, nanoseconds: 120_000_000, target: '/etc/x' };
  assert.deepEqual(JSON.parse(Buffer.from(pathStat('/tmp/l', found), 'base64').toString('utf8')), {
    name: 'l',
    size: 6,
    mode: 134218239,
    mtime: '2023-11-14T22:13:20.12Z',
    linkTarget: '/etc/x',
  });
});

test('only what lives beyond a run is bound', () => {
  const mounts = [
    { destination: '/v', type: 'bind', source: '/data/volumes/v', options: ['rbind', 'ro', 'rprivate', 'idmap'] },
    { destination: '/t', type: 'tmpfs', source: 'tmpfs', options: ['nosuid'] },
  ];
  assert.deepEqual(boundPaths(mounts), [
    { source: '/data/volumes/v', target: '/v', readOnly: true, recursive: true, idmap: true },
  ]);
});

describe('copies', () => {
  const never = new AbortController().signal;
  const untilAborted = (signal: AbortSignal): Promise<string> =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });

  test('of a stopped container one after the other', async () => {
    const copies = new Copies();
    const order: string[] = [];
    let release = (): void => undefined;
    const first = copies.begin(true, never, async () => {
      await new Promise<void>((resolve) => (release = resolve));
      order.push('first');
    });
    const second = copies.begin(true, never, () => Promise.resolve(order.push('second')));
    await soon();
    assert.deepEqual(order, []);
    release();
    await Promise.all([first, second]);
    assert.deepEqual(order, ['first', 'second']);
  });

  test('a start ends all of them, also those that wait', async () => {
    const copies = new Copies();
    const first = copies.begin(false, never, untilAborted);
    let began = false;
    const waiting = copies.begin(true, never, () => Promise.resolve((began = true)));
    await soon();
    await copies.end();
    await assert.rejects(first, /was started while its files were copied/);
    await assert.rejects(waiting, /was started while its files were copied/);
    assert.equal(began, false);
    assert.equal(await copies.begin(true, never, () => Promise.resolve('again')), 'again');
  });

  test('a client that leaves ends its own only', async () => {
    const copies = new Copies();
    const client = new AbortController();
    const left = copies.begin(false, client.signal, untilAborted);
    const stays = copies.begin(false, never, () => Promise.resolve('done'));
    await soon();
    client.abort(new Error('gone'));
    await assert.rejects(left, /gone/);
    assert.equal(await stays, 'done');
  });
});
