import { useMemo, useState } from 'react';
import type { HistoryStep } from '../../../src-main/contract/engine.ts';
import type { LayerSums, LayersView } from '../../../src-main/contract/layers.ts';
import { Notice } from '../../components/notice.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { Segments } from '../../components/segments.tsx';
import { Outside } from '../../components/text.tsx';
import { formatBytes, formatCount, shortId } from '../../format/quantities.ts';
import { visibleText } from '../../format/unsafe-text.ts';
import { LayerCounts } from './layer-counts.tsx';
import { layersOfSteps } from './layer-rows.ts';
import { LayerSearch, WastedFiles } from './layer-tables.tsx';
import { LayerTree } from './layer-tree.tsx';
import { useComparedLayers, useLayerFolders, useLayerSearch } from './use-layers.ts';

const maxNames = 3;

type Pane = 'files' | 'wasted';

/** How an image was made, from the base up: what each layer weighs and does to files, and what of it is never seen. */
export function Layers({ id, history }: { id: string; history: readonly HistoryStep[] }) {
  const steps = useMemo(() => layersOfSteps(history), [history]);
  const { value: compared, problem } = useComparedLayers(id);
  const folders = useLayerFolders(id);
  const [chosen, setChosen] = useState<number>();
  const [pane, setPane] = useState<Pane>('files');
  const [query, setQuery] = useState('');
  const [target, setTarget] = useState<{ readonly path: string }>();
  const found = useLayerSearch(id, query);
  const sizes = steps.flatMap(({ step, layer }) => (layer === undefined ? [] : [step.sizeBytes]));
  const whole = sizes.reduce((sum, size) => sum + size, 0);
  const layer = chosen ?? sizes.length - 1;
  const choose = (next: number) => {
    setChosen(next);
    setPane('files');
    setQuery('');
    setTarget(undefined);
  };
  const go = (next: number, path: string) => {
    choose(next);
    setTarget({ path });
  };
  return (
    <div className="layer-view">
      <div className="toolbar">
        <Segments
          label="Show"
          value={pane}
          options={[
            { value: 'files', label: 'Files' },
            { value: 'wasted', label: 'Wasted space', ...(compared ? { count: compared.wasted.files } : {}) },
          ]}
          onChange={(next) => {
            setPane(next);
            setQuery('');
          }}
        />
        <SearchField value={query} label="Search all layers" onChange={setQuery} slash />
        <span className="spacer" />
        <span className="quiet layer-total" role="status">
          {summaryOf(sizes.length, whole, compared)}
        </span>
      </div>
      {problem === undefined ? null : (
        <div className="log-notice">
          <Notice tone="warn">
            <p className="wrapped">{problem}</p>
          </Notice>
        </div>
      )}
      <div className="layer-split">
        <ol className="history scroll" aria-label="Layers">
          {steps.map(({ step, layer: made }, index) => (
            <LayerItem
              key={index}
              step={step}
              whole={whole}
              number={made}
              sums={made === undefined ? undefined : compared?.layers[made]}
              chosen={made === layer && found === undefined && pane === 'files'}
              onChoose={choose}
            />
          ))}
        </ol>
        <div className="layer-pane">
          {found !== undefined ? (
            <LayerSearch found={found} onGo={go} />
          ) : pane === 'wasted' ? (
            <WastedFiles wasted={compared?.wasted} onGo={go} />
          ) : problem === undefined && layer >= 0 ? (
            <LayerTree key={layer} layer={layer} folders={folders} target={target} />
          ) : null}
        </div>
      </div>
    </div>
  );
}

function summaryOf(layers: number, bytes: number, compared: LayersView | undefined): string {
  const size = `${formatCount(layers, 'layer')}, ${formatBytes(bytes)}`;
  return compared === undefined ? size : `${size} · ${formatBytes(compared.wasted.sizeBytes)} wasted`;
}

interface LayerItemProps {
  readonly step: HistoryStep;
  readonly whole: number;
  readonly number: number | undefined;
  readonly sums: LayerSums | undefined;
  readonly chosen: boolean;
  readonly onChoose: (layer: number) => void;
}

function LayerItem({ step, whole, number, sums, chosen, onChoose }: LayerItemProps) {
  const { createdBy, sizeBytes, sharedWith } = step;
  const command = <code>{createdBy === '' ? 'No command is known' : visibleText(createdBy, 2000)}</code>;
  if (number === undefined) {
    return (
      <li className="empty-layer">
        {command}
        <span className="faint">settings only</span>
      </li>
    );
  }
  return (
    <li>
      <button type="button" aria-current={chosen ? 'true' : undefined} onClick={() => onChoose(number)}>
        <span className="layer-number" aria-hidden>
          {number + 1}
        </span>
        {command}
        <span className="layer-facts">
          <span>{formatBytes(sizeBytes)}</span>
          {sums === undefined ? null : <LayerCounts sums={sums} />}
          <span className="share" aria-hidden>
            <span style={{ transform: `scaleX(${whole === 0 ? 0 : sizeBytes / whole})` }} />
          </span>
        </span>
        {sharedWith === undefined ? null : (
          <span className="sharers quiet">
            {sharedWith.length === 0 ? 'Only in this image' : <Outside text={`Also in ${namesOf(sharedWith)}`} />}
          </span>
        )}
      </button>
    </li>
  );
}

function namesOf(names: readonly string[]): string {
  const shown = names.slice(0, maxNames).map((name) => (name.startsWith('sha256:') ? shortId(name) : name));
  return names.length > maxNames ? `${shown.join(', ')} and ${names.length - maxNames} more` : shown.join(', ');
}
