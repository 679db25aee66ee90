import { useRef } from 'react';
import type { LucideIcon } from 'lucide-react';
import { Button } from './button.tsx';

interface FileButtonProps {
  readonly label: string;
  readonly icon: LucideIcon;
  /** Endings and types to offer first. */
  readonly accept?: string;
  readonly small?: boolean;
  readonly disabled: boolean;
  readonly onFiles: (files: readonly File[]) => void;
}

/** A button that asks for files. */
export function FileButton({ label, icon, accept, small, disabled, onFiles }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={label}
        {...(accept === undefined ? {} : { accept })}
        onChange={({ target }) => {
          const files = Array.from(target.files ?? []);
          if (files.length > 0) onFiles(files);
          // The same file once more is a change again.
          target.value = '';
        }}
      />
      <Button icon={icon} small={small ?? false} disabled={disabled} onClick={() => input.current?.click()}>
        {label}
      </Button>
    </>
  );
}
