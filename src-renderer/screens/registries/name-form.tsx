import { useState, type SubmitEvent } from 'react';
import { Button } from '../../components/button.tsx';
import { Field } from '../../components/field.tsx';

interface NameFormProps {
  readonly label: string;
  readonly placeholder: string;
  readonly action: string;
  /** What is wrong with the name, or undefined. */
  readonly check: (name: string) => string | undefined;
  readonly onName: (name: string) => void;
}

/** One name to go to. */
export function NameForm({ label, placeholder, action, check, onName }: NameFormProps) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<string>();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wrong = check(name.trim());
    setProblem(wrong);
    if (wrong === undefined) onName(name.trim());
  };
  return (
    <form className="name-form" onSubmit={submit} noValidate>
      <Field label={label} {...(problem === undefined ? {} : { problem })}>
        {(props) => (
          <input
            {...props}
            className="input mono"
            value={name}
            placeholder={placeholder}
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="none"
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <Button type="submit">{action}</Button>
    </form>
  );
}
