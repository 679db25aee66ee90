import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkNewName, copyName, nameOfArchive } from '../../../../../src-renderer/screens/volumes/volume-name.ts';

test('names offered for a copy and for what a file holds', () => {
  assert.equal(copyName('data', ['data']), 'data-copy');
  assert.equal(copyName('data', ['data', 'data-copy', 'data-copy-2']), 'data-copy-3');
  assert.ok(copyName('a'.repeat(255), []).length <= 255);
  const names = ['web-data.tar.gz', 'web.tgz', 'my backup (2).tar', '.hidden.tar', 'plain', '…'].map(nameOfArchive);
  assert.deepEqual(names, ['web-data', 'web', 'my-backup-2-', 'hidden', 'plain', '']);
  assert.equal(checkNewName(''), 'Type a name.');
  assert.equal(checkNewName('fine-1'), undefined);
});
