/** Turns measurements into the table of ratios. */

export interface Measurement {
  readonly row: string;
  readonly subject: string;
  readonly value: number;
  readonly unit: Unit;
}

export type Unit = 'ms' | 'bytes' | 'lines/s' | 'MB/s';

interface Target {
  readonly row: string;
  readonly peer: string;
  /** Neither: for comparison only. */
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** Targets of the design, as ratios of Wherry's value to a peer's. */
const targets: readonly Target[] = [
  { row: 'cold boot to engine ready', peer: 'bare kernel', atMost: 2 },
  { row: 'resume to engine ready', peer: 'bare kernel', atMost: 0.4 },
  { row: 'run true', peer: 'docker.io', atMost: 0.25 },
  { row: 'run true', peer: 'crun', atMost: 1.5 },
  { row: 'run true', peer: 'runc', atMost: 1.5 },
  { row: 'exec true', peer: 'docker.io', atMost: 0.25 },
  { row: 'exec true', peer: 'nsenter' },
  { row: 'pull multi-layer', peer: 'docker.io', atMost: 0.5 },
  { row: 'memory with 20 idle containers', peer: 'docker.io', atMost: 0.5 },
  { row: '50 × run true at once', peer: 'docker.io', atMost: 0.25 },
  { row: 'build, cold cache', peer: 'docker.io' },
  { row: 'build, warm cache', peer: 'docker.io' },
  { row: 'log follow, lines', peer: 'docker.io', atLeast: 2 },
  { row: 'log follow, bytes', peer: 'docker.io', atLeast: 2 },
  { row: 'list 500 containers', peer: 'docker.io', atMost: 0.5 },
  { row: 'inspect 500 containers', peer: 'docker.io', atMost: 0.5 },
];

/** The lines to print: one for each row and peer that were both measured. */
export function formatTable(measured: readonly Measurement[]): string {
  const find = (row: string, subject: string): Measurement | undefined =>
    measured.find((one) => one.row === row && one.subject === subject);
  const lines = targets.flatMap(({ row, peer, atMost, atLeast }) => {
    const ours = find(row, 'wherry');
    const theirs = find(row, peer);
    if (ours === undefined || theirs === undefined) return [];
    const ratio = ours.value / theirs.value;
    const target =
      atMost !== undefined
        ? `≤ ${atMost}×  ${ratio <= atMost ? 'reached' : 'missed'}`
        : atLeast !== undefined
          ? `≥ ${atLeast}×  ${ratio >= atLeast ? 'reached' : 'missed'}`
          : 'for comparison';
    return [
      `${row.padEnd(32)} ${show(ours).padStart(10)}  ${peer.padEnd(12)} ${show(theirs).padStart(10)}  ${ratio.toFixed(2)}×  ${target}`,
    ];
  });
  return lines.join('\n');
}

function show(one: Measurement): string {
  if (one.unit === 'bytes') return `${(one.value / 1024 / 1024).toFixed(1)} MiB`;
  return `${one.value.toFixed(one.unit === 'MB/s' ? 1 : 0)} ${one.unit}`;
}
