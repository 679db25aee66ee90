import { Field } from '../../components/field.tsx';

interface NewVolumeFieldProps {
  readonly value: string;
  readonly problem: string | undefined;
  readonly onChange: (value: string) => void;
}

export function NewVolumeField({ value, problem, onChange }: NewVolumeFieldProps) {
  return (
    <Field label="Name of the new volume" {...(problem === undefined ? {} : { problem })}>
      {(props) => (
        <input
          {...props}
          className="input"
          value={value}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
