import { Field } from '../../components/field.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { useNetworks } from '../../stores/objects.ts';

/** Which network the container starts on; more can be joined from a network's page. */
export function NetworkField({ value, onChange }: { value: string; onChange: (network: string) => void }) {
  const networks = useNetworks((state) => state.value) ?? [];
  return (
    <fieldset>
      <Field label="Network" {...(value === 'host' ? { hint: 'No isolation: its ports are the engine’s own.' } : {})}>
        {(props) => (
          <select {...props} className="select" value={value} onChange={(event) => onChange(event.target.value)}>
            <option value="">Default (bridge)</option>
            {networks
              .filter(({ name }) => name !== 'bridge')
              .map(({ id, name }) => (
                <option key={id} value={name}>
                  {visibleText(name, 80)}
                </option>
              ))}
          </select>
        )}
      </Field>
    </fieldset>
  );
}
