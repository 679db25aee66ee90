import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { checkSocketPath, defaultHome, homePaths, prepareHome } from '../../../src-main/home.ts';

test('each platform has its place, and WHERRY_HOME goes before it', () => {
  assert.equal(defaultHome({}, 'linux', '/home/u'), '/home/u/.wherry');
  assert.equal(defaultHome({}, 'darwin', '/Users/u'), '/Users/u/Library/Application Support/Wherry');
  assert.equal(defaultHome({ LOCALAPPDATA: 'C:\\L' }, 'win32', 'C:\\U'), 'C:\\L\\Wherry');
  assert.equal(defaultHome({ WHERRY_HOME: '/x/y' }, 'linux', '/home/u'), '/x/y');
});

test('on Windows two homes have two pipes', () => {
  const one = homePaths('C:\\one', 'win32');
  const two = homePaths('C:\\two', 'win32');
  assert.match(one.dockerSocket, /^\\\\\.\\pipe\\wherry-[0-9a-f]{12}-docker$/);
  assert.notEqual(one.dockerSocket, two.dockerSocket);
  assert.notEqual(one.dockerSocket, one.hostSocket);
});

test('a socket path over the system’s limit is refused before anything fails on it', () => {
  checkSocketPath(`/${'x'.repeat(106)}`, 'linux');
  assert.throws(() => checkSocketPath(`/${'x'.repeat(107)}`, 'linux'), { code: 'invalid-input', hint: /WHERRY_HOME/ });
  assert.throws(() => checkSocketPath(`/${'x'.repeat(103)}`, 'darwin'), { code: 'invalid-input' });
  // Bytes count, not characters.
  assert.throws(() => checkSocketPath(`/${'é'.repeat(60)}`, 'linux'), { code: 'invalid-input' });
});

test('the folders are made for their owner alone; a file in the way is explained', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-home-'));
  try {
    const paths = await prepareHome(path.join(folder, 'home'));
    for (const made of [paths.root, paths.vm.folder, paths.logs]) {
      assert.equal((await stat(made)).mode & 0o777, 0o700, made);
    }
    await writeFile(path.join(folder, 'file'), '');
    await assert.rejects(prepareHome(path.join(folder, 'file')), { code: 'unavailable', hint: /WHERRY_HOME/ });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
