import { Check } from 'lucide-react';
import type { LayerPhase, LayerProgress } from '../../../src-main/contract/tasks.ts';
import { formatBytes } from '../../format/quantities.ts';

const words: Readonly<Record<LayerPhase, string>> = {
  waiting: 'Waiting',
  downloading: 'Downloading',
  downloaded: 'Downloaded',
  extracting: 'Unpacking',
  sending: 'Sending',
  done: 'Done',
};

/** One line and two bars for each layer: downloaded, and unpacked over it. `existed`: the word for one that did not have to go. */
export function LayerBars({ layers, existed }: { layers: readonly LayerProgress[]; existed: string }) {
  if (layers.length === 0) return null;
  return (
    <ul className="layers" aria-label="Layers">
      {layers.map((layer) => (
        <LayerBar key={layer.layer} layer={layer} existed={existed} />
      ))}
    </ul>
  );
}

function LayerBar({ layer, existed }: { layer: LayerProgress; existed: string }) {
  const downloaded = layer.sizeBytes > 0 ? Math.min(1, layer.downloadedBytes / layer.sizeBytes) : 0;
  const done = layer.phase === 'done';
  return (
    <li className={`layer ${layer.phase}`}>
      <span className="mono">{layer.layer.slice(0, 12)}</span>
      <span className="layer-bar" aria-hidden>
        <span className="downloaded" style={{ transform: `scaleX(${done ? 1 : downloaded})` }} />
        <span className="extracted" style={{ transform: `scaleX(${layer.extracted})` }} />
      </span>
      <span className="quiet">
        {done ? <Check className="icon" aria-hidden /> : null}
        {layer.existed ? existed : words[layer.phase]}
      </span>
      <span className="quiet end">{layer.sizeBytes > 0 ? formatBytes(layer.sizeBytes) : ''}</span>
    </li>
  );
}
