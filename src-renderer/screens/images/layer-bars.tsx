import { Check } from 'lucide-react';
import type { LayerPhase, LayerProgress } from '../../../src-main/contract/tasks.ts';
import { formatBytes } from '../../format/quantities.ts';

const words: Readonly<Record<LayerPhase, string>> = {
  waiting: 'Waiting',
  downloading: 'Downloading',
  downloaded: 'Downloaded',
  extracting: 'Unpacking',
  done: 'Done',
};

/** One line and two bars for each layer: downloaded, and unpacked over it. */
export function LayerBars({ layers }: { layers: readonly LayerProgress[] }) {
  if (layers.length === 0) return null;
  return (
    <ul className="layers" aria-label="Layers">
      {layers.map((layer) => (
        <LayerBar key={layer.layer} layer={layer} />
      ))}
    </ul>
  );
}

function LayerBar({ layer }: { layer: LayerProgress }) {
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
        {layer.existed ? 'Already here' : words[layer.phase]}
      </span>
      <span className="quiet end">{layer.sizeBytes > 0 ? formatBytes(layer.sizeBytes) : ''}</span>
    </li>
  );
}
