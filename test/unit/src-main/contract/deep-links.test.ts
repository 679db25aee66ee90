import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkPath, parseDeepLink } from '../../../../src-main/contract/deep-links.ts';

test('a link names a place, an object or a tab, as an address or as its path', () => {
  assert.deepEqual(parseDeepLink('wherry://containers/web/logs'), { noun: 'containers', name: 'web', tab: 'logs' });
  assert.deepEqual(parseDeepLink('/containers'), { noun: 'containers' });
  assert.deepEqual(parseDeepLink('/engine/'), { noun: 'engine' });
  assert.deepEqual(parseDeepLink('/images/registry.example:5000/team/app:1'), {
    noun: 'images',
    name: 'registry.example:5000/team/app:1',
  });
  assert.deepEqual(parseDeepLink('/volumes/a%20b?x#y'), { noun: 'volumes', name: 'a b' });
});

test('what a link says comes back from its path', () => {
  for (const link of [
    { noun: 'containers', name: 'a/b c%', tab: 'logs' },
    { noun: 'networks', name: 'ünï' },
    { noun: 'registries' },
    { noun: 'registries', name: 'localhost:5000' },
    { noun: 'events' },
  ] as const) {
    assert.deepEqual(parseDeepLink(linkPath(link)), link);
  }
});

test('anything else is no link', () => {
  for (const text of [
    '',
    'containers',
    '/',
    '/secrets/x',
    '/engine/stop',
    '/volumes/a/b',
    '/containers/a/logs/b',
    '/containers/%E0%A4%A',
    '/containers/a%00b',
    '/containers//logs',
    'https://containers/web',
    `/volumes/${'x'.repeat(2000)}`,
  ]) {
    assert.equal(parseDeepLink(text), undefined, text.slice(0, 40));
  }
});
