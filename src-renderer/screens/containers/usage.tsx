/** CPU and memory of a running container in the list: the number and the last minute. */
import type { ContainerView, StatsSample } from '../../../src-main/contract/engine.ts';
import { Sparkline } from '../../components/sparkline.tsx';
import { formatBytes, formatPercent } from '../../format/quantities.ts';
import { useStats } from '../../stores/stats.ts';

export function CpuUsage({ container }: { container: ContainerView }) {
  return (
    <Usage
      container={container}
      what="CPU"
      read={({ cpuPercent }) => cpuPercent}
      format={formatPercent}
      // Small movements stay small: the line's top is at least half a CPU.
      top={(values) => Math.max(50, ...values)}
    />
  );
}

export function MemoryUsage({ container }: { container: ContainerView }) {
  return (
    <Usage
      container={container}
      what="Memory"
      read={({ memoryBytes }) => memoryBytes}
      format={formatBytes}
      top={(values) => Math.max(...values) * 1.25}
    />
  );
}

interface UsageProps {
  readonly container: ContainerView;
  readonly what: string;
  readonly read: (sample: StatsSample) => number;
  readonly format: (value: number) => string;
  readonly top: (values: readonly number[]) => number;
}

function Usage({ container: { id, state }, what, read, format, top }: UsageProps) {
  const samples = useStats(id).slice(-60);
  const last = samples.at(-1);
  if (state !== 'running' || !last) return null;
  const value = format(read(last));
  return (
    <span className="usage" title={`${what} ${value}`}>
      <Sparkline
        points={samples.map((sample) => [sample.timeMs, read(sample)] as const)}
        top={top(samples.map(read))}
      />
      <span className="usage-value">{value}</span>
    </span>
  );
}
