/** Paths in a container. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crumbsOf, folderOf, pathIn } from '../../../../../src-renderer/screens/files/file-paths.ts';

test('down, up, and the way from the root', () => {
  assert.equal(pathIn('/', 'etc'), '/etc');
  assert.equal(pathIn('/etc', 'a b'), '/etc/a b');
  assert.equal(folderOf('/etc/nginx'), '/etc');
  assert.equal(folderOf('/etc'), '/');
  assert.equal(folderOf('/'), '/');
  assert.deepEqual(
    crumbsOf('/etc/nginx').map(({ path }) => path),
    ['/', '/etc', '/etc/nginx'],
  );
  assert.deepEqual(crumbsOf('/'), [{ name: '/', path: '/' }]);
});
