/** A small line of the last minute, without axes; the number beside it says the value. */

interface SparklineProps {
  /** Time and value, oldest first. */
  readonly points: readonly (readonly [timeMs: number, value: number])[];
  /** The value at the top edge; what is above it is drawn at the edge. */
  readonly top: number;
}

const spanMs = 60_000;
const width = 48;
const height = 18;

export function Sparkline({ points, top }: SparklineProps) {
  const path = sparkPath(points, top);
  return (
    <svg className="spark" viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden>
      {path === '' ? null : <path d={path} />}
    </svg>
  );
}

/** Right edge: the newest point. A gap of some seconds lifts the pen. */
export function sparkPath(points: SparklineProps['points'], top: number): string {
  const end = points.at(-1)?.[0] ?? 0;
  let path = '';
  let before = -Infinity;
  for (const [timeMs, value] of points) {
    const age = end - timeMs;
    if (age > spanMs) continue;
    const x = width - (age / spanMs) * width;
    const y = height - 1 - Math.min(1, top > 0 ? value / top : 0) * (height - 2);
    path += `${timeMs - before > 5000 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    before = timeMs;
  }
  return path;
}
