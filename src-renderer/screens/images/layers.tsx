import type { HistoryStep } from '../../../src-main/contract/engine.ts';
import { Outside } from '../../components/text.tsx';
import { formatBytes, formatCount, shortId } from '../../format/quantities.ts';
import { visibleText } from '../../format/unsafe-text.ts';

const maxNames = 3;

/** How an image was made, from the base up: each step's command, what it weighs, and who else stands on it. */
export function Layers({ history }: { history: readonly HistoryStep[] }) {
  const layers = history.filter(({ empty }) => !empty);
  const whole = layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return (
    <section>
      <h2>
        Layers <span className="quiet">{`${formatCount(layers.length, 'layer')}, ${formatBytes(whole)}`}</span>
      </h2>
      <ol className="history" aria-label="Layers">
        {history.map((step, index) => (
          <LayerItem key={index} step={step} whole={whole} />
        ))}
      </ol>
    </section>
  );
}

function LayerItem({ step, whole }: { step: HistoryStep; whole: number }) {
  const { createdBy, empty, sizeBytes, sharedWith } = step;
  return (
    <li className={empty ? 'empty-layer' : ''}>
      <code>{createdBy === '' ? 'No command is known' : visibleText(createdBy, 2000)}</code>
      {empty ? (
        <span className="size faint">settings only</span>
      ) : (
        <span className="size">
          {formatBytes(sizeBytes)}
          <span className="share" aria-hidden>
            <span style={{ transform: `scaleX(${whole === 0 ? 0 : sizeBytes / whole})` }} />
          </span>
        </span>
      )}
      {sharedWith === undefined ? null : (
        <span className="sharers quiet">
          {sharedWith.length === 0 ? 'Only in this image' : <Outside text={`Also in ${namesOf(sharedWith)}`} />}
        </span>
      )}
    </li>
  );
}

function namesOf(names: readonly string[]): string {
  const shown = names.slice(0, maxNames).map((name) => (name.startsWith('sha256:') ? shortId(name) : name));
  return names.length > maxNames ? `${shown.join(', ')} and ${names.length - maxNames} more` : shown.join(', ');
}
