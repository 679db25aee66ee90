import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whatKeepsAwake } from '../../../../vm/agent/keeps-awake.ts';

const ask = (paths: readonly string[], idle: boolean, shells = 0) =>
  whatKeepsAwake(
    paths.map((path) => ({ method: 'POST', path })),
    shells,
    idle,
  );

test('transfers forbid any sleep; the rest only one that nobody asked for', () => {
  for (const [path, words] of [
    ['/images/create', 'a pull'],
    ['/images/localhost:5000/a/b/push', 'a push'],
    ['/images/load', 'the loading of images'],
    ['/images/get', 'the saving of images'],
    ['/images/a/b:1/get', 'the saving of images'],
    ['/build', 'a build'],
    ['/containers/web/archive', 'a copy of files'],
    ['/wherry/v1/volumes/data/import', 'a copy of a volume'],
  ] as const) {
    assert.deepEqual([ask([path], false), ask([path], true)], [words, words]);
  }
  for (const path of ['/containers/web/logs', '/containers/web/wait', '/exec/1/start', '/build/prune']) {
    assert.deepEqual([ask([path], false), ask([path], true)], [undefined, `a request to ${path}`]);
  }
  assert.deepEqual([ask([], false, 1), ask([], true, 1)], [undefined, 'a shell']);
});

test('what Wherry itself keeps open is no use', () => {
  assert.equal(
    ask(['/events', '/wherry/v1/ports', '/wherry/v1/sleep', '/wherry/v1/health', '/_ping'], true),
    undefined,
  );
});
