import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { obstacleTo, reasonIn } from '../../../../src-main/setup/electron.mjs';
import { freshness } from '../../../../src-main/setup/stale.mjs';
import { root } from '../../../../src-main/setup/steps.mjs';

test('Electron is not tried where it cannot run, with the reason', () => {
  assert.match(obstacleTo('linux', {}, 1000) ?? '', /no display/);
  assert.match(obstacleTo('linux', { DISPLAY: ':0' }, 0) ?? '', /root/);
  assert.equal(obstacleTo('linux', { WAYLAND_DISPLAY: 'wayland-0' }, 1000), undefined);
  assert.equal(obstacleTo('darwin', {}, 501), undefined);
  assert.equal(obstacleTo('win32', {}, undefined), undefined);
});

test('the line that names the error is found in an installer’s output', () => {
  assert.equal(
    reasonIn('downloading\nRequestError: getaddrinfo ENOTFOUND downloads.example\n    at x (y:1)\n'),
    'RequestError: getaddrinfo ENOTFOUND downloads.example',
  );
  assert.equal(reasonIn('connect ECONNREFUSED 127.0.0.1:1\n'), 'connect ECONNREFUSED 127.0.0.1:1');
  assert.equal(reasonIn('all well\n'), undefined);
});

test('work is stale when an input changed or an output is gone, and only then', async (t) => {
  const name = `test-${process.pid}`;
  const folder = path.join('build', name);
  const inputs = path.join(folder, 'inputs');
  await mkdir(path.join(root, inputs, 'deep'), { recursive: true });
  t.after(() => rm(path.join(root, folder), { recursive: true }));
  t.after(() => rm(path.join(root, 'build', 'stamps', name), { force: true }));
  const write = (file: string, text: string) => writeFile(path.join(root, folder, file), text);
  await write('inputs/a', 'one');
  await write('inputs/deep/b', 'two');
  await write('output', 'made');
  const look = () => freshness(name, { inputs: [inputs, 'not-there'], outputs: [path.join(folder, 'output')] });
  assert.equal(look().stale, true);
  look().done();
  assert.equal(look().stale, false);
  await write('inputs/deep/b', 'three');
  assert.equal(look().stale, true);
  look().done();
  await write('inputs/c', '');
  assert.equal(look().stale, true);
  look().done();
  await rm(path.join(root, folder, 'output'));
  assert.equal(look().stale, true);
});

test('npm start refuses flags it does not know before it does anything', () => {
  for (const [args, message] of [
    [['--wob'], /--wob: no such flag/],
    [['--port', 'eighty'], /--port eighty: not a port number/],
    [['--port', '70000'], /not a port number/],
    [['--port'], /not a port number/],
  ] as const) {
    const ended = spawnSync(process.execPath, [path.join(root, 'src-main/setup/start.mjs'), ...args], {
      encoding: 'utf8',
    });
    assert.equal(ended.status, 1);
    assert.match(ended.stderr, message);
    assert.match(ended.stderr, /What to do: npm start -- \[--web\]/);
    assert.doesNotMatch(ended.stderr, /Building/);
  }
});
