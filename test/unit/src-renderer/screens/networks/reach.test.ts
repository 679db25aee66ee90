import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leadsOut, reachOf } from '../../../../../src-renderer/screens/networks/reach.ts';

test('what is reached from a container, by driver', () => {
  const words = (driver: string, internal = false): string => reachOf({ driver, internal });
  assert.match(words('bridge'), /and the outside$/);
  assert.match(words('bridge', true), /and nothing outside$/);
  assert.match(words('macvlan'), /and nothing outside$/);
  assert.match(words('ipvlan'), /and nothing outside$/);
  assert.match(words('host'), /own network/);
  assert.match(words('null'), /^Nothing/);
  assert.deepEqual(
    ['bridge', 'host', 'null'].map((driver) => leadsOut({ driver, internal: false })),
    [true, true, false],
  );
});
