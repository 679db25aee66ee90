import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  linePath,
  nearest,
  niceTop,
  thinOut,
  type Point,
} from '../../../../../src-renderer/screens/container/chart.ts';
import { addEvent, type NumberedEvent } from '../../../../../src-renderer/screens/container/container-events.ts';

const frame = { fromMs: 0, toMs: 10_000, top: 10, width: 100, height: 12 };

test('a path is drawn to scale, kept within, and lifted at gaps', () => {
  const points: Point[] = [
    [0, 0],
    [1000, 5],
    [9000, 20],
  ];
  assert.equal(linePath(points, frame), 'M0.0 11.0L10.0 6.0M90.0 1.0');
});

test('an hour becomes a point for each column, and no peak is lost', () => {
  const hour = Array.from({ length: 3600 }, (_, index): Point => [index * 1000, index === 1801 ? 99 : 1]);
  const thin = thinOut(hour, 3_600_000, 600);
  assert.equal(thin.length, 600);
  assert.ok(thin.some(([, value]) => value === 99));
  // A later second changes nothing of what is drawn already.
  const later = thinOut([...hour.slice(6), [3_600_000, 1]], 3_600_000, 600);
  assert.deepEqual(later.slice(0, 598), thin.slice(1, 599));
  assert.equal(thinOut(hour.slice(0, 300), 300_000, 600).length, 300);
});

test('scales are round', () => {
  assert.deepEqual(
    [0, 3, 10, 10.1, 51, 230].map((highest) => niceTop(highest, 5)),
    [5, 5, 10, 20, 100, 500],
  );
  assert.ok(niceTop(0, 0) > 0);
});

test('the nearest sample is found, if one is near', () => {
  const samples = [1000, 2000, 3000, 60_000].map((timeMs) => ({ timeMs }));
  const at = (timeMs: number) => nearest(samples, timeMs)?.timeMs;
  assert.deepEqual(
    [at(0), at(1400), at(1600), at(7900), at(8100), at(61_000)],
    [1000, 1000, 2000, 3000, undefined, 60_000],
  );
  assert.equal(nearest(samples.slice(0, 0), 5), undefined);
});

test('a history holds what is about its container, and a bounded number of it', () => {
  const event = (type: string, action: string, actorId: string, attributes = {}) => ({
    type,
    action,
    actorId,
    attributes,
    timeNano: 1,
  });
  let events: readonly NumberedEvent[] = [];
  const add = (...values: Parameters<typeof event>) => (events = addEvent(events, event(...values), 'c1', 3));
  add('container', 'start', 'c1');
  add('container', 'start', 'c2');
  add('container', 'top', 'c1');
  add('network', 'connect', 'n1', { container: 'c1' });
  add('network', 'connect', 'n1', { container: 'c2' });
  assert.deepEqual(
    events.map(({ number, event: { action } }) => [number, action]),
    [
      [1, 'start'],
      [2, 'connect'],
    ],
  );
  add('container', 'kill', 'c1');
  add('container', 'die', 'c1');
  assert.deepEqual(
    events.map(({ number }) => number),
    [2, 3, 4],
  );
});
