import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzyScore } from '../../../../../src-renderer/screens/palette/fuzzy.ts';

/** The texts that match, best first. */
function ranked(query: string, texts: readonly string[]): readonly string[] {
  return texts
    .flatMap((text) => {
      const score = fuzzyScore(query, text);
      return score === undefined ? [] : [{ text, score }];
    })
    .sort((a, b) => b.score - a.score)
    .map(({ text }) => text);
}

test('letters must come in order, in any case', () => {
  assert.deepEqual(ranked('ODB', ['orders-db', 'bdo']), ['orders-db']);
  assert.equal(fuzzyScore('xyz', 'web'), undefined);
  assert.equal(fuzzyScore('', 'anything'), 0);
});

test('the very words beat word starts, which beat strewn letters', () => {
  assert.equal(ranked('web', ['w-e-b', 'stop web', 'swxexb'])[0], 'stop web');
  assert.equal(ranked('sw', ['stop web', 'answer what'])[0], 'stop web');
  assert.equal(ranked('web', ['web', 'a much longer text with web'])[0], 'web');
});
