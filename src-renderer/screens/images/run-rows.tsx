import { ArrowRight, Equal, Plus, X } from 'lucide-react';
import { Button } from '../../components/button.tsx';
import { nextKey, type PortRow, type Problems, type VariableRow } from './run-form.ts';

interface RowsProps<T> {
  readonly rows: readonly T[];
  readonly problems: Problems;
  readonly onChange: (rows: readonly T[]) => void;
}

function replaced<T extends { readonly key: number }>(rows: readonly T[], row: T, values: Partial<T>): readonly T[] {
  return rows.map((other) => (other.key === row.key ? { ...other, ...values } : other));
}

export function PortRows({ rows, problems, onChange }: RowsProps<PortRow>) {
  const change = (row: PortRow, values: Partial<PortRow>) => onChange(replaced(rows, row, values));
  return (
    <fieldset>
      <legend>Ports</legend>
      {rows.map((row) => {
        const problem = problems[`port-${row.key}`];
        return (
          <div key={row.key}>
            <div className="line port">
              <input
                className="input"
                inputMode="numeric"
                aria-label="Port on this computer"
                placeholder="Any free port"
                value={row.hostPort}
                aria-invalid={problem !== undefined}
                onChange={(event) => change(row, { hostPort: event.target.value.trim() })}
              />
              <ArrowRight className="icon faint" aria-label="to" />
              <input
                className="input"
                inputMode="numeric"
                aria-label="Port in the container"
                placeholder="In the container"
                value={row.containerPort}
                aria-invalid={problem !== undefined}
                onChange={(event) => change(row, { containerPort: event.target.value.trim() })}
              />
              <select
                className="select"
                aria-label="Protocol"
                value={row.protocol}
                onChange={(event) => change(row, { protocol: event.target.value === 'udp' ? 'udp' : 'tcp' })}
              >
                <option value="tcp">TCP</option>
                <option value="udp">UDP</option>
              </select>
              <RemoveRow label="Remove the port" onClick={() => onChange(rows.filter((other) => other !== row))} />
            </div>
            {problem === undefined ? null : <p className="line-problem">{problem}</p>}
          </div>
        );
      })}
      <div>
        <Button
          small
          icon={Plus}
          onClick={() => onChange([...rows, { key: nextKey(), containerPort: '', hostPort: '', protocol: 'tcp' }])}
        >
          Publish a port
        </Button>
      </div>
    </fieldset>
  );
}

interface VariableRowsProps extends RowsProps<VariableRow> {
  readonly legend?: string;
  readonly add?: string;
}

export function VariableRows({
  legend = 'Environment',
  add = 'Add a variable',
  rows,
  problems,
  onChange,
}: VariableRowsProps) {
  const change = (row: VariableRow, values: Partial<VariableRow>) => onChange(replaced(rows, row, values));
  return (
    <fieldset>
      <legend>{legend}</legend>
      {rows.map((row) => {
        const problem = problems[`variable-${row.key}`];
        return (
          <div key={row.key}>
            <div className="line variable">
              <input
                className="input mono"
                aria-label="Variable"
                placeholder="NAME"
                value={row.name}
                readOnly={row.declared !== undefined}
                aria-invalid={problem !== undefined}
                spellCheck={false}
                onChange={(event) => change(row, { name: event.target.value })}
              />
              <Equal className="icon faint" aria-hidden />
              <input
                className="input mono"
                aria-label={row.name === '' ? 'Value' : `Value of ${row.name}`}
                placeholder="value"
                value={row.value}
                spellCheck={false}
                onChange={(event) => change(row, { value: event.target.value })}
              />
              {row.declared === undefined ? (
                <RemoveRow
                  label="Remove the variable"
                  onClick={() => onChange(rows.filter((other) => other !== row))}
                />
              ) : (
                <span />
              )}
            </div>
            {problem === undefined ? null : <p className="line-problem">{problem}</p>}
          </div>
        );
      })}
      <div>
        <Button small icon={Plus} onClick={() => onChange([...rows, { key: nextKey(), name: '', value: '' }])}>
          {add}
        </Button>
      </div>
    </fieldset>
  );
}

function RemoveRow({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <button type="button" className="icon-button bad" aria-label={label} onClick={onClick}>
      <X className="icon" aria-hidden />
    </button>
  );
}
