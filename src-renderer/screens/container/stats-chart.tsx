import { useId, type KeyboardEvent, type PointerEvent } from 'react';
import type { StatsSample } from '../../../src-main/contract/engine.ts';
import { linePath, niceTop, thinOut, xOf, type Frame, type Point } from './chart.ts';

export interface ChartLine {
  readonly name: string;
  readonly read: (sample: StatsSample) => number;
}

interface StatsChartProps {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  readonly format: (value: number) => string;
  readonly least: number;
  /** Beside the values: what they are part of. */
  readonly note: string;
  readonly samples: readonly StatsSample[];
  readonly toMs: number;
  readonly spanMs: number;
  readonly marked: StatsSample | undefined;
  readonly onMark: (timeMs: number | undefined) => void;
}

const width = 600;
const height = 96;

/** Lines of one quantity. Pointing at it, or the arrow keys, read the values of a moment; Escape goes back to now. */
export function StatsChart({ title, lines, format, least, note, ...rest }: StatsChartProps) {
  const { samples, toMs, spanMs, marked, onMark } = rest;
  const titleId = useId();
  const points = lines.map(({ read }) => samples.map((sample): Point => [sample.timeMs, read(sample)]));
  const highest = points.flat().reduce((most, [, value]) => Math.max(most, value), 0);
  const frame: Frame = { fromMs: toMs - spanMs, toMs, top: niceTop(highest, least), width, height };
  const sample = marked ?? samples.at(-1);
  const point = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    onMark(frame.fromMs + ((event.clientX - box.left) / box.width) * spanMs);
  };
  const press = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    if (event.key === 'Escape') onMark(undefined);
    else if (step !== 0) onMark(stepFrom(samples, sample, event.shiftKey ? step * 10 : step));
    else return;
    event.preventDefault();
  };
  return (
    <section className="chart" aria-labelledby={titleId}>
      <div className="chart-head">
        <h2 id={titleId}>{title}</h2>
        {lines.map(({ name, read }, index) => (
          <span key={name} className={`chart-value line-${index}`}>
            <b>{sample ? format(read(sample)) : '–'}</b> {name}
          </span>
        ))}
        {note === '' ? null : <span className="quiet">{note}</span>}
        <span className="faint chart-top">{format(frame.top)}</span>
      </div>
      <div
        className="chart-plot"
        tabIndex={0}
        role="group"
        aria-label={`${title} over time; arrow keys read earlier values`}
        onPointerMove={point}
        onPointerLeave={() => onMark(undefined)}
        onKeyDown={press}
        onBlur={() => onMark(undefined)}
      >
        <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden>
          {[0.25, 0.5, 0.75].map((part) => (
            <line key={part} className="chart-grid" x1={0} x2={width} y1={height * part} y2={height * part} />
          ))}
          {points.map((line, index) => (
            <path
              key={lines[index]?.name}
              className={`line-${index}`}
              d={linePath(thinOut(line, spanMs, width), frame, spanMs / width)}
            />
          ))}
          {marked ? (
            <line
              className="chart-mark"
              x1={xOf(marked.timeMs, frame)}
              x2={xOf(marked.timeMs, frame)}
              y1={0}
              y2={height}
            />
          ) : null}
        </svg>
      </div>
    </section>
  );
}

function stepFrom(samples: readonly StatsSample[], from: StatsSample | undefined, step: number): number | undefined {
  const index = samples.findIndex((sample) => sample === from);
  const next = Math.max(0, index + step);
  return next >= samples.length - 1 ? undefined : samples[next]?.timeMs;
}
