import { useMemo, useState } from 'react';
import { Lock } from 'lucide-react';
import type { NetworkView } from '../../../src-main/contract/networks.ts';
import { Empty } from '../../components/empty.tsx';
import { Outside } from '../../components/text.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { navigate } from '../../stores/navigation.ts';
import { leadsOut } from './reach.ts';
import { drawTopology, type Column, type Crossing, type Rail } from './topology.ts';

/** The plan of lines, and a table to whoever cannot see it: who is on which network under which address. */
export function TopologyView({ networks }: { networks: readonly NetworkView[] }) {
  const { columns, rails } = useMemo(() => drawTopology(networks), [networks]);
  const [lit, setLit] = useState<string>();
  if (rails.length === 0) {
    return (
      <Empty title="Nothing to draw">
        <p>No container is on a network, and there is none but the engine’s own.</p>
      </Empty>
    );
  }
  return (
    <div className="topology scroll" tabIndex={0} aria-label="Map of the networks" role="region">
      <table onMouseLeave={() => setLit(undefined)}>
        <thead>
          <tr>
            <th scope="col">
              <span className="sr">Network</span>
            </th>
            {columns.map((column) => (
              <ContainerHead key={column.id} column={column} lit={lit === column.id} onLight={setLit} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rails.map((rail) => (
            <RailRow key={rail.network.id} rail={rail} columns={columns} lit={lit} onLight={setLit} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ContainerHead({
  column: { id, name, state },
  lit,
  onLight,
}: {
  column: Column;
  lit: boolean;
  onLight: (id: string) => void;
}) {
  return (
    <th scope="col" className={lit ? 'lit' : ''} onMouseEnter={() => onLight(id)}>
      <button
        type="button"
        className={`berth ${state}`}
        title={`${visibleText(name, 120)}: ${state}`}
        onFocus={() => onLight(id)}
        onClick={() => navigate({ screen: 'container', id, tab: 'overview' })}
      >
        <Outside text={name} />
        <span className="sr">, {state}</span>
      </button>
    </th>
  );
}

interface RailRowProps {
  readonly rail: Rail;
  readonly columns: readonly Column[];
  readonly lit: string | undefined;
  readonly onLight: (id: string) => void;
}

function RailRow({ rail: { network, crossings }, columns, lit, onLight }: RailRowProps) {
  const { id, name, subnets, members } = network;
  return (
    <tr className={members.some((member) => member.id === lit) ? 'lit' : ''}>
      <th scope="row" className={members.length > 0 ? 'rail' : ''}>
        <button type="button" className="quay" onClick={() => navigate({ screen: 'network', id })}>
          <span>
            <Outside text={name} className="strong" />
            {leadsOut(network) ? null : <Lock className="icon" aria-label="no way out" />}
          </span>
          <span className="quiet mono">{subnets[0]?.subnet ?? (members.length === 0 ? 'nobody on it' : '')}</span>
        </button>
      </th>
      {crossings.map((crossing, index) => {
        const column = columns[index]?.id ?? '';
        return (
          <td key={column} className={crossingClass(crossing, column === lit)} onMouseEnter={() => onLight(column)}>
            {crossing.stop === undefined ? null : (
              <>
                <span className="dot" aria-hidden />
                <span className="address mono">{crossing.stop.ipAddress || <span className="sr">connected</span>}</span>
              </>
            )}
          </td>
        );
      })}
    </tr>
  );
}

function crossingClass({ stop, rail, railGoesOn, stem, stemGoesOn }: Crossing, lit: boolean): string {
  const classes = { stop: stop !== undefined, rail, 'rail-on': railGoesOn, stem, 'stem-on': stemGoesOn, lit };
  return Object.entries(classes)
    .flatMap(([name, on]) => (on ? [name] : []))
    .join(' ');
}
