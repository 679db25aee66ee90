import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkView } from '../../../../../src-main/contract/networks.ts';
import { drawTopology } from '../../../../../src-renderer/screens/networks/topology.ts';

function network(name: string, members: readonly string[], builtIn = false): NetworkView {
  return {
    id: name,
    name,
    driver: 'bridge',
    internal: false,
    ipv6: false,
    builtIn,
    createdAtMs: 0,
    subnets: [],
    labels: {},
    options: {},
    members: members.map((id) => ({
      id,
      name: id,
      state: 'running',
      ipAddress: `${name}-${id}`,
      ip6Address: '',
      macAddress: '',
      aliases: [],
    })),
  };
}

test('the fullest network is the first row, and containers on the same networks stand together', () => {
  const { columns, rails } = drawTopology([
    network('front', ['web', 'api']),
    network('back', ['api', 'db', 'web']),
    network('idle', []),
    network('host', [], true),
  ]);
  assert.deepEqual(
    columns.map(({ id }) => id),
    ['db', 'api', 'web'],
  );
  assert.deepEqual(
    rails.map((rail) => [rail.network.name, rail.crossings.map(({ stop }) => stop?.ipAddress)]),
    [
      ['back', ['back-db', 'back-api', 'back-web']],
      ['front', [undefined, 'front-api', 'front-web']],
      ['idle', [undefined, undefined, undefined]],
    ],
  );
});

test('a rail ends at its last stop and a stem at its lowest one, passing what is not a stop', () => {
  const { columns, rails } = drawTopology([network('a', ['x', 'z']), network('b', ['y']), network('c', ['z'])]);
  const z = columns.findIndex(({ id }) => id === 'z');
  const look = rails.map(({ crossings }) =>
    crossings.map(({ rail, railGoesOn, stem, stemGoesOn }) => [rail, railGoesOn, stem, stemGoesOn]),
  );
  assert.deepEqual(
    look.map((row) => row[z]),
    [
      [true, columns.findIndex(({ id }) => id === 'x') > z, true, true],
      [columns.findIndex(({ id }) => id === 'y') >= z, columns.findIndex(({ id }) => id === 'y') > z, true, true],
      [true, false, true, false],
    ],
  );
});
