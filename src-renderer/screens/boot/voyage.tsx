import type { VmView } from '../../../src-main/contract/vm.ts';
import type { Health } from '../../stores/health.ts';

const width = 560;
const margin = 34;

/**
 * The boot drawn as a passage: one buoy for each stage, the wherry where the boot is. It says nothing that the list of
 * stages does not say in words, so it is hidden from screen readers.
 */
export function Voyage({ health, view }: { health: Health; view: VmView | undefined }) {
  const stages = view?.stages ?? [];
  const done = stages.filter(({ state }) => state === 'done').length;
  const last = Math.max(1, stages.length);
  const x = (index: number) => margin + ((width - 2 * margin) * index) / last;
  const aground = view?.state.kind === 'failed';
  return (
    <svg className={`voyage ${health.tone}`} viewBox={`0 0 ${width} 108`} aria-hidden="true" focusable="false">
      <path className="river" d={`M0 84 ${swell(width, 28, 2.2)}`} />
      <path className="river faint-river" d={`M0 93 ${swell(width, 40, 1.8)}`} />
      {stages.map(({ stage, state }, index) => (
        <g key={stage} className={`buoy ${state}`} transform={`translate(${x(index + 1)} 84)`}>
          <line y1="-13" y2="0" />
          <circle cy="-15" r="3.4" />
        </g>
      ))}
      <g className="boat" style={{ transform: `translateX(${x(stages.length === 0 ? 0.5 : done)}px)` }}>
        <g className={aground ? 'hullform aground' : 'hullform'}>
          <path className="boat-sail" d="M-2 22c15 6 25 19 26.500 43H-2z" />
          <path className="boat-jib" d="M-6 31v34h-13.500c1.200-13 5.500-25 13.500-34z" />
          <path className="boat-hull" d="M-32 70h66c-3.500 10-11 15-21 15h-25c-9.500 0-16.500-5-20-15z" />
        </g>
      </g>
      <path className="river front" d={`M0 86 ${swell(width, 34, 2)} V108 H0z`} />
    </svg>
  );
}

/** A line of even waves as path commands. */
function swell(length: number, step: number, height: number): string {
  const waves = Math.ceil(length / step);
  return Array.from({ length: waves }, (_, index) => `q${step / 2} ${index % 2 ? height : -height} ${step} 0`).join(
    ' ',
  );
}
