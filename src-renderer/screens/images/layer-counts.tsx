import type { LayerSums } from '../../../src-main/contract/layers.ts';

const signs = [
  { key: 'added', sign: '+' },
  { key: 'modified', sign: '~' },
  { key: 'deleted', sign: '−' },
] as const;

/** How many files are added, modified and deleted, as signs; in words for who cannot see them. */
export function LayerCounts({ sums }: { sums: LayerSums }) {
  const told = signs.filter(({ key }) => sums[key] > 0);
  return (
    <span className="layer-counts" title={told.map(({ key }) => `${sums[key]} ${key}`).join(', ')}>
      {told.map(({ key, sign }) => (
        <span key={key} className={key}>
          <span aria-hidden>{`${sign}${sums[key]}`}</span>
          <span className="sr">{`${sums[key]} ${key} `}</span>
        </span>
      ))}
    </span>
  );
}
