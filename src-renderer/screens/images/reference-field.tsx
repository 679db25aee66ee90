import { useId, useMemo, useState, type KeyboardEvent, type Ref } from 'react';
import { Field } from '../../components/field.tsx';
import { useKeptInView } from '../../components/use-kept-in-view.ts';
import { formatCount } from '../../format/quantities.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { checkReference } from './reference.ts';
import { matchTags, typedTag } from './tag-matches.ts';
import { useTags, type TagList } from './use-tags.ts';

interface ReferenceFieldProps {
  readonly value: string;
  readonly problem: string | undefined;
  readonly input: Ref<HTMLInputElement>;
  readonly onChange: (value: string) => void;
}

const shown = 200;

/** An image's name. After the colon the repository's tags are offered: arrows choose, Enter takes, typing narrows. */
export function ReferenceField({ value, problem, input, onChange }: ReferenceFieldProps) {
  const list = useId();
  const ready = useEngineReady();
  const typed = typedTag(value.trim());
  // One that is given whole needs no offer; one that ends at its colon waits for a tag.
  const [taken, setTaken] = useState(value.endsWith(':') ? '' : value);
  const isOffered = ready && typed !== undefined && value !== taken && checkReference(typed.repository) === undefined;
  const found = useTags(isOffered ? typed.repository : undefined);
  const tags = found.state === 'there' ? found.tags.names : none;
  const matches = useMemo(() => matchTags(tags, typed?.tag ?? ''), [tags, typed?.tag]);
  const [at, setAt] = useState(-1);
  const active = Math.min(at, Math.min(matches.length, shown) - 1);
  const isOpen = isOffered && matches.length > 0;
  const take = (tag: string) => {
    const name = `${typed?.repository ?? ''}:${tag}`;
    setTaken(name);
    setAt(-1);
    onChange(name);
  };
  const keyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const tag = matches[active];
    if (step !== 0 && isOpen) {
      event.preventDefault();
      setAt(Math.max(-1, active + step));
    } else if (event.key === 'Enter' && isOpen && tag !== undefined) {
      event.preventDefault();
      take(tag);
    }
  };
  return (
    <div className="reference-field">
      <Field
        label="Image"
        hint="A name on Docker Hub, or with its registry in front. After a colon come its tags; without one, latest is pulled."
        {...(problem === undefined ? {} : { problem })}
      >
        {(props) => (
          <input
            {...props}
            ref={input}
            className="input mono"
            role="combobox"
            aria-expanded={isOpen}
            aria-controls={list}
            aria-autocomplete="list"
            aria-activedescendant={isOpen && active >= 0 ? `${list}-${active}` : undefined}
            placeholder="nginx:1.29"
            value={value}
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="none"
            onKeyDown={keyDown}
            onChange={(event) => {
              setAt(-1);
              onChange(event.target.value);
            }}
          />
        )}
      </Field>
      <div className="tag-list scroll" role="listbox" id={list} aria-label="Tags" hidden={!isOpen}>
        {isOpen
          ? matches
              .slice(0, shown)
              .map((tag, index) => (
                <TagOption
                  key={tag}
                  id={`${list}-${index}`}
                  tag={tag}
                  active={index === active}
                  onTake={() => take(tag)}
                />
              ))
          : null}
      </div>
      <p className="quiet tag-note" role="status">
        {isOffered ? noteOf(found, matches.length) : ''}
      </p>
    </div>
  );
}

const none: readonly string[] = [];

function TagOption({ id, tag, active, onTake }: { id: string; tag: string; active: boolean; onTake: () => void }) {
  const element = useKeptInView(active);
  return (
    <div
      ref={element}
      id={id}
      className="tag-option mono"
      role="option"
      aria-selected={active}
      // The field keeps the focus.
      onPointerDown={(event) => event.preventDefault()}
      onClick={onTake}
    >
      {tag}
    </div>
  );
}

function noteOf(found: TagList, matches: number): string {
  switch (found.state) {
    case 'none':
      return '';
    case 'asking':
      return 'Asking the registry for tags…';
    case 'failed':
      return `No tags to offer: ${found.reason}`;
    case 'there': {
      const all = `${formatCount(found.tags.names.length, 'tag')}${found.tags.more ? ', and more that are not listed' : ''}`;
      if (matches === 0) return `None of ${all} fits.`;
      return matches > shown ? `The first ${shown} of ${matches} that fit, of ${all}.` : `${matches} of ${all}.`;
    }
  }
}
