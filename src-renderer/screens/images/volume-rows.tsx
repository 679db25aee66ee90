import { useId } from 'react';
import { ArrowRight, Plus, X } from 'lucide-react';
import { Button } from '../../components/button.tsx';
import { useVolumes } from '../../stores/objects.ts';
import { nextKey, type Problems, type VolumeRow } from './run-form.ts';

interface VolumeRowsProps {
  readonly rows: readonly VolumeRow[];
  readonly problems: Problems;
  readonly onChange: (rows: readonly VolumeRow[]) => void;
}

/** Volumes by name and where they go; those that are there are offered. */
export function VolumeRows({ rows, problems, onChange }: VolumeRowsProps) {
  const volumes = useVolumes((state) => state.value) ?? [];
  const list = useId();
  const change = (row: VolumeRow, values: Partial<VolumeRow>) =>
    onChange(rows.map((other) => (other.key === row.key ? { ...other, ...values } : other)));
  return (
    <fieldset>
      <legend>Volumes</legend>
      <datalist id={list}>
        {volumes
          .filter(({ anonymous }) => !anonymous)
          .map(({ name }) => (
            <option key={name} value={name} />
          ))}
      </datalist>
      {rows.map((row) => {
        const problem = problems[`volume-${row.key}`];
        return (
          <div key={row.key}>
            <div className="line volume">
              <input
                className="input"
                aria-label="Volume"
                placeholder="web-data"
                list={list}
                value={row.name}
                spellCheck={false}
                autoComplete="off"
                aria-invalid={problem !== undefined}
                onChange={(event) => change(row, { name: event.target.value })}
              />
              <ArrowRight className="icon faint" aria-label="to" />
              <input
                className="input mono"
                aria-label="Path in the container"
                placeholder="/data"
                value={row.path}
                spellCheck={false}
                autoComplete="off"
                aria-invalid={problem !== undefined}
                onChange={(event) => change(row, { path: event.target.value })}
              />
              <select
                className="select"
                aria-label="Access"
                value={row.readOnly ? 'ro' : 'rw'}
                onChange={(event) => change(row, { readOnly: event.target.value === 'ro' })}
              >
                <option value="rw">Read and write</option>
                <option value="ro">Read only</option>
              </select>
              <button
                type="button"
                className="icon-button bad"
                aria-label="Remove the volume"
                onClick={() => onChange(rows.filter((other) => other !== row))}
              >
                <X className="icon" aria-hidden />
              </button>
            </div>
            {problem === undefined ? null : <p className="line-problem">{problem}</p>}
          </div>
        );
      })}
      <div>
        <Button
          small
          icon={Plus}
          onClick={() => onChange([...rows, { key: nextKey(), name: '', path: '', readOnly: false }])}
        >
          Mount a volume
        </Button>
      </div>
    </fieldset>
  );
}
