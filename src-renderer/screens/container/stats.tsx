import { useMemo, useState } from 'react';
import type { ContainerView, StatsSample } from '../../../src-main/contract/engine.ts';
import { Empty } from '../../components/empty.tsx';
import { Segments } from '../../components/segments.tsx';
import { formatBytes, formatPercent, formatTime } from '../../format/quantities.ts';
import { useStats, useWatchStats } from '../../stores/stats.ts';
import { nearest } from './chart.ts';
import { StatsChart, type ChartLine } from './stats-chart.tsx';

const spans = { '5': 'Last 5 min', '15': 'Last 15 min', '60': 'Last hour' } as const;
type Span = keyof typeof spans;

const rate = (bytes: number) => `${formatBytes(bytes)}/s`;

interface ChartKind {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  readonly format: (value: number) => string;
  /** The scale reaches at least this high. */
  readonly least: number;
}

const charts: readonly ChartKind[] = [
  { title: 'CPU', format: formatPercent, least: 10, lines: [{ name: 'used', read: (at) => at.cpuPercent }] },
  { title: 'Memory', format: formatBytes, least: 1e6, lines: [{ name: 'used', read: (at) => at.memoryBytes }] },
  {
    title: 'Network',
    format: rate,
    least: 1000,
    lines: [
      { name: 'received', read: (at) => at.receivedPerS },
      { name: 'sent', read: (at) => at.sentPerS },
    ],
  },
  {
    title: 'Disk',
    format: rate,
    least: 1000,
    lines: [
      { name: 'read', read: (at) => at.readPerS },
      { name: 'written', read: (at) => at.writtenPerS },
    ],
  },
  {
    title: 'Processes',
    format: (value) => value.toLocaleString('en'),
    least: 5,
    lines: [{ name: 'with threads', read: (at) => at.processes }],
  },
];

/** What the container uses, over time. The same moment is marked in all charts. */
export function Stats({ container }: { container: ContainerView }) {
  const { id, state } = container;
  const running = state === 'running' || state === 'paused';
  useWatchStats(
    useMemo(() => (running ? [id] : []), [id, running]),
    3600,
  );
  const samples = useStats(id);
  const [span, setSpan] = useState<Span>('5');
  const [cursorMs, setCursorMs] = useState<number>();
  const spanMs = Number(span) * 60_000;
  const toMs = samples.at(-1)?.timeMs ?? 0;
  const shown = useMemo(() => samples.filter(({ timeMs }) => timeMs >= toMs - spanMs), [samples, toMs, spanMs]);
  if (samples.length === 0) {
    return (
      <Empty title={running ? 'Measuring…' : 'Nothing to measure'}>
        <p>{running ? 'The first values take two seconds.' : 'The container does not run.'}</p>
      </Empty>
    );
  }
  const marked = cursorMs === undefined ? undefined : nearest(shown, cursorMs);
  return (
    <div className="page-body scroll stats" tabIndex={0}>
      <div className="stats-bar">
        <Segments
          label="Time shown"
          value={span}
          onChange={setSpan}
          options={Object.entries(spans).map(([value, label]) => ({ value: value as Span, label }))}
        />
        <span className="quiet">
          {marked ? formatTime(marked.timeMs) : running ? 'Now' : `Last measured ${formatTime(toMs)}`}
        </span>
      </div>
      {charts.map((chart) => (
        <StatsChart
          key={chart.title}
          {...chart}
          note={chart.title === 'Memory' ? limitNote(marked ?? samples.at(-1)) : ''}
          samples={shown}
          toMs={toMs}
          spanMs={spanMs}
          marked={marked}
          onMark={setCursorMs}
        />
      ))}
      <p className="hint">
        Measured while this page or the list shows the container; gaps are times when nobody looked.
      </p>
    </div>
  );
}

function limitNote(sample: StatsSample | undefined): string {
  if (!sample || sample.memoryLimitBytes <= 0) return '';
  const share = formatPercent((sample.memoryBytes / sample.memoryLimitBytes) * 100);
  return `${share} of ${formatBytes(sample.memoryLimitBytes)}`;
}
