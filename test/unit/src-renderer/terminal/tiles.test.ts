import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepOpen, noTiles, show, split, unsplit, type Tiles } from '../../../../src-renderer/terminal/tiles.ts';

const tiles = (shown: string, focused?: string): Tiles => ({ shown: Array.from(shown), focused });

test('one is shown in the focused one’s place, or where it is', () => {
  assert.deepEqual(show(noTiles, 'a'), tiles('a', 'a'));
  assert.deepEqual(show(tiles('abc', 'b'), 'd'), tiles('adc', 'd'));
  assert.deepEqual(show(tiles('abc', 'b'), 'c'), tiles('abc', 'c'));
});

test('a split puts one beside the focused one as long as there is room', () => {
  assert.deepEqual(split(noTiles, 'a'), tiles('a', 'a'));
  assert.deepEqual(split(tiles('ab', 'a'), 'c'), tiles('acb', 'c'));
  assert.deepEqual(split(tiles('ab', 'a'), 'b'), tiles('ab', 'b'));
  assert.deepEqual(split(tiles('abcd', 'c'), 'e'), tiles('abed', 'e'));
  assert.deepEqual(unsplit(tiles('acb', 'c')), tiles('c', 'c'));
  assert.deepEqual(unsplit(noTiles), noTiles);
});

test('what is closed leaves no gap', () => {
  assert.deepEqual(keepOpen(tiles('abc', 'b'), ['a', 'c', 'x']), tiles('ac', 'c'));
  assert.deepEqual(keepOpen(tiles('abc', 'a'), ['a', 'c']), tiles('ac', 'a'));
  assert.deepEqual(keepOpen(tiles('a', 'a'), ['x', 'y']), tiles('y', 'y'));
  assert.deepEqual(keepOpen(tiles('a', 'a'), []), noTiles);
});
