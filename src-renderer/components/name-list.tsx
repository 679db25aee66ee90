import { Outside } from './text.tsx';

const most = 200;

/** What a question is about, by name; many scroll. */
export function NameList({ names, notes }: { names: readonly string[]; notes?: readonly string[] }) {
  return (
    <ul className="names" tabIndex={0} aria-label="What goes">
      {names.slice(0, most).map((name, index) => (
        <li key={name}>
          <Outside text={name} className="strong" />
          {notes === undefined ? null : <span className="quiet">{notes[index]}</span>}
        </li>
      ))}
      {names.length > most ? <li className="quiet">and {names.length - most} more</li> : null}
    </ul>
  );
}
