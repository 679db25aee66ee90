import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchTags, typedTag } from '../../../../../src-renderer/screens/images/tag-matches.ts';

test('a tag begins after the colon that is no port’s', () => {
  assert.deepEqual(typedTag('nginx:'), { repository: 'nginx', tag: '' });
  assert.deepEqual(typedTag('r.example:5000/a/b:1.2'), { repository: 'r.example:5000/a/b', tag: '1.2' });
  for (const text of ['nginx', 'r.example:5000/app', ':1', 'a b:1', 'nginx@sha256:ab', 'r.example/:1', '']) {
    assert.equal(typedTag(text), undefined, text);
  }
});

test('latest comes first, then what begins as typed, then newer numbers', () => {
  const tags = ['1.9', '1.10', 'v1.11', 'latest', 'alpine', '1.10-alpine'];
  assert.deepEqual(matchTags(tags, ''), ['latest', 'v1.11', 'alpine', '1.10-alpine', '1.10', '1.9']);
  assert.deepEqual(matchTags(tags, '1.1'), ['1.10-alpine', '1.10', 'v1.11']);
  assert.deepEqual(matchTags(tags, 'ALP'), ['alpine', '1.10-alpine']);
  assert.deepEqual(matchTags(tags, 'x'), []);
});
