import { ArrowRight, Plus, X } from 'lucide-react';
import { Button } from '../../components/button.tsx';
import { nextKey } from '../images/run-form.ts';
import type { MountRow } from './edit-form.ts';

interface MountRowsProps {
  readonly rows: readonly MountRow[];
  readonly problems: Readonly<Record<string, string>>;
  readonly onChange: (rows: readonly MountRow[]) => void;
}

export function MountRows({ rows, problems, onChange }: MountRowsProps) {
  const change = (row: MountRow, values: Partial<MountRow>) =>
    onChange(rows.map((other) => (other === row ? { ...row, ...values } : other)));
  const added = (): MountRow => ({ key: nextKey(), type: 'volume', source: '', target: '', readOnly: false });
  return (
    <fieldset>
      <legend>Mounts</legend>
      {rows.map((row) => {
        const problem = problems[`mount-${row.key}`];
        return (
          <div key={row.key}>
            <div className="line mount">
              <select
                className="select"
                aria-label="Kind of mount"
                value={row.type}
                onChange={(event) => change(row, { type: event.target.value === 'bind' ? 'bind' : 'volume' })}
              >
                <option value="volume">Volume</option>
                <option value="bind">Folder in the VM</option>
              </select>
              <input
                className="input mono"
                aria-label={row.type === 'volume' ? 'Name of the volume' : 'Folder in the VM'}
                placeholder={row.type === 'volume' ? 'volume' : '/path'}
                value={row.source}
                aria-invalid={problem !== undefined}
                spellCheck={false}
                onChange={(event) => change(row, { source: event.target.value })}
              />
              <ArrowRight className="icon faint" aria-label="to" />
              <input
                className="input mono"
                aria-label="Path in the container"
                placeholder="/path"
                value={row.target}
                aria-invalid={problem !== undefined}
                spellCheck={false}
                onChange={(event) => change(row, { target: event.target.value })}
              />
              <label className="line-check">
                <input
                  type="checkbox"
                  className="check"
                  checked={row.readOnly}
                  onChange={(event) => change(row, { readOnly: event.target.checked })}
                />
                Read-only
              </label>
              <button
                type="button"
                className="icon-button bad"
                aria-label={`Remove the mount ${row.target}`}
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
        <Button small icon={Plus} onClick={() => onChange([...rows, added()])}>
          Add a mount
        </Button>
      </div>
    </fieldset>
  );
}
