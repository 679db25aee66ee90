/**
 * Networks drawn as a plan of lines: a row for each network, a column for each container, a stop where they meet.
 * Containers that share networks stand beside each other. Pure.
 */
import type { ContainerState } from '../../../src-main/contract/engine.ts';
import type { NetworkView } from '../../../src-main/contract/networks.ts';

export interface Column {
  readonly id: string;
  readonly name: string;
  readonly state: ContainerState;
}

export interface Crossing {
  /** Absent: the container is not on this network. */
  readonly stop?: { readonly ipAddress: string };
  /** The network's line comes in here from the left… */
  readonly rail: boolean;
  /** … and goes on to a stop further right. */
  readonly railGoesOn: boolean;
  /** The container's line comes from above… */
  readonly stem: boolean;
  /** … and goes on to a network further down. */
  readonly stemGoesOn: boolean;
}

export interface Rail {
  readonly network: NetworkView;
  readonly crossings: readonly Crossing[];
}

export interface Topology {
  readonly columns: readonly Column[];
  readonly rails: readonly Rail[];
}

/** Leaves out the engine's own networks that nobody is on; the others show that they are empty. */
export function drawTopology(networks: readonly NetworkView[]): Topology {
  const drawn = networks
    .filter(({ builtIn, members }) => !builtIn || members.length > 0)
    .sort((a, b) => b.members.length - a.members.length || a.name.localeCompare(b.name));
  const columns = orderColumns(drawn);
  const last = (id: string) => drawn.findLastIndex(({ members }) => members.some((member) => member.id === id));
  const lastRows = columns.map(({ id }) => last(id));
  return {
    columns,
    rails: drawn.map((network, row) => {
      const stops = columns.map(({ id }) => network.members.find((member) => member.id === id));
      const lastStop = stops.findLastIndex((stop) => stop !== undefined);
      return {
        network,
        crossings: stops.map((stop, column) => ({
          ...(stop === undefined ? {} : { stop: { ipAddress: stop.ipAddress } }),
          rail: column <= lastStop,
          railGoesOn: column < lastStop,
          stem: row <= (lastRows[column] ?? -1),
          stemGoesOn: row < (lastRows[column] ?? -1),
        })),
      };
    }),
  };
}

/** By the networks they are on: first those of the first row, and among them those that are on the same others. */
function orderColumns(networks: readonly NetworkView[]): readonly Column[] {
  const columns = new Map<string, Column & { readonly rows: number[] }>();
  networks.forEach(({ members }, row) => {
    for (const { id, name, state } of members) {
      const column = columns.get(id);
      if (column) column.rows.push(row);
      else columns.set(id, { id, name, state, rows: [row] });
    }
  });
  // Sorted by the first row, then by the later ones: the longest common ways come together.
  const key = (rows: readonly number[]) => rows.map((row) => String(row).padStart(5, '0')).join(' ');
  return [...columns.values()]
    .sort((a, b) => key(a.rows).localeCompare(key(b.rows)) || a.name.localeCompare(b.name))
    .map(({ id, name, state }) => ({ id, name, state }));
}
