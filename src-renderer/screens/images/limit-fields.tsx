import { Field } from '../../components/field.tsx';
import type { Problems, RunForm } from './run-form.ts';

interface LimitFieldsProps {
  readonly form: Pick<RunForm, 'memory' | 'cpus' | 'pids' | 'restart'>;
  readonly change: (values: Partial<Pick<RunForm, 'memory' | 'cpus' | 'pids' | 'restart'>>) => void;
  readonly problems: Problems;
}

/** Memory, CPUs, processes and the restart policy. */
export function LimitFields({ form, change, problems }: LimitFieldsProps) {
  const text = (key: 'memory' | 'cpus' | 'pids', label: string, placeholder: string) => (
    <Field label={label} {...problem(problems, key)}>
      {(props) => (
        <input
          {...props}
          className="input"
          value={form[key]}
          placeholder={placeholder}
          autoComplete="off"
          onChange={(event) => change({ [key]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <fieldset>
      <legend>Limits</legend>
      <div className="triple">
        {text('memory', 'Memory', 'No limit, or 512m')}
        {text('cpus', 'CPUs', 'No limit, or 1.5')}
        {text('pids', 'Processes', 'No limit, or 256')}
        <Field label="Restart" {...problem(problems, 'restart')}>
          {(props) => (
            <select
              {...props}
              className="select"
              value={form.restart}
              onChange={(event) => change({ restart: event.target.value as RunForm['restart'] })}
            >
              <option value="no">Never</option>
              <option value="on-failure">When it fails</option>
              <option value="unless-stopped">Unless stopped</option>
              <option value="always">Always</option>
            </select>
          )}
        </Field>
      </div>
    </fieldset>
  );
}

function problem(problems: Problems, field: string): { problem?: string } {
  const text = problems[field];
  return text === undefined ? {} : { problem: text };
}
