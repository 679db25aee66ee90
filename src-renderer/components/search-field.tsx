import { useEffect, useRef, type KeyboardEvent } from 'react';
import { Search, X } from 'lucide-react';

interface SearchFieldProps {
  readonly value: string;
  readonly label: string;
  readonly onChange: (value: string) => void;
  /** Escape on an empty field: back to the list. */
  readonly onLeave?: () => void;
  /** `/` anywhere on the screen comes here. */
  readonly slash?: boolean;
}

export function SearchField({ value, label, onChange, onLeave, slash }: SearchFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!slash) return;
    const listen = (event: globalThis.KeyboardEvent) => {
      if (event.key !== '/' || event.defaultPrevented || isTyping(event.target)) return;
      event.preventDefault();
      input.current?.select();
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, [slash]);
  const keyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      if (value !== '') onChange('');
      else onLeave?.();
    } else if (event.key === 'ArrowDown' || event.key === 'Enter') {
      onLeave?.();
    }
  };
  return (
    <div className="search">
      <Search className="icon" aria-hidden />
      <input
        ref={input}
        className="input"
        type="text"
        value={value}
        placeholder={label}
        aria-label={label}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={keyDown}
      />
      {value !== '' ? (
        <button type="button" className="icon-button clear" aria-label="Clear" onClick={() => onChange('')}>
          <X className="icon" aria-hidden />
        </button>
      ) : slash ? (
        <kbd aria-hidden>/</kbd>
      ) : null}
    </div>
  );
}

/** Whether a key pressed there is text, and no shortcut; a terminal takes all keys. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.closest('input:not([type="checkbox"]), textarea, select, .xterm') !== null;
}
