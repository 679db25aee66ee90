import { Equal, Plus, X } from 'lucide-react';
import { Button } from './button.tsx';

export interface LabelRow {
  readonly key: number;
  readonly name: string;
  readonly value: string;
}

interface LabelRowsProps {
  readonly rows: readonly LabelRow[];
  readonly onChange: (rows: readonly LabelRow[]) => void;
}

/** Names and values that the engine keeps for whoever asks. */
export function LabelRows({ rows, onChange }: LabelRowsProps) {
  const change = (row: LabelRow, values: Partial<LabelRow>) =>
    onChange(rows.map((other) => (other === row ? { ...other, ...values } : other)));
  return (
    <fieldset className="label-rows">
      <legend>Labels</legend>
      {rows.map((row) => (
        <div key={row.key} className="line variable">
          <input
            className="input mono"
            aria-label="Label"
            placeholder="name"
            value={row.name}
            spellCheck={false}
            onChange={(event) => change(row, { name: event.target.value })}
          />
          <Equal className="icon faint" aria-hidden />
          <input
            className="input mono"
            aria-label={row.name === '' ? 'Label’s value' : `Value of ${row.name}`}
            placeholder="value"
            value={row.value}
            spellCheck={false}
            onChange={(event) => change(row, { value: event.target.value })}
          />
          <button
            type="button"
            className="icon-button bad"
            aria-label="Remove the label"
            onClick={() => onChange(rows.filter((other) => other !== row))}
          >
            <X className="icon" aria-hidden />
          </button>
        </div>
      ))}
      <div>
        <Button small icon={Plus} onClick={() => onChange([...rows, { key: nextKey(rows), name: '', value: '' }])}>
          Add a label
        </Button>
      </div>
    </fieldset>
  );
}

function nextKey(rows: readonly LabelRow[]): number {
  return Math.max(0, ...rows.map(({ key }) => key)) + 1;
}

/** Rows without a name say nothing. */
export function labelsOf(rows: readonly LabelRow[]): Record<string, string> {
  return Object.fromEntries(
    rows.filter(({ name }) => name.trim() !== '').map(({ name, value }) => [name.trim(), value]),
  );
}
