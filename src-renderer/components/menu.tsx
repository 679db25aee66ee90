import { useState, type ReactNode } from 'react';
import { EllipsisVertical, type LucideIcon } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';

export interface MenuEntry {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly shortcut?: string;
  readonly disabled?: boolean;
  readonly danger?: boolean;
  /** A line above this entry. */
  readonly separated?: boolean;
  readonly run: () => void;
}

interface MenuProps {
  readonly trigger: ReactNode;
  readonly entries: readonly MenuEntry[];
  readonly defaultOpen?: boolean;
}

/** A button's menu; arrow keys, typing and Escape as everywhere. */
export function Menu({ trigger, entries, defaultOpen = false }: MenuProps) {
  return (
    <DropdownMenu.Root modal={false} defaultOpen={defaultOpen}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align="end" sideOffset={4} collisionPadding={8}>
          {entries.map((entry) => (
            <MenuItem key={entry.label} entry={entry} />
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

interface MoreMenuProps {
  readonly entries: readonly MenuEntry[];
  /**
   * The row has the keys: Tab goes past it. Rows scroll by in hundreds, and a menu would be most of what each of them costs: it is made
   * when it is wanted first.
   */
  readonly inRow?: boolean;
}

/** The three dots of an object's row or page. */
export function MoreMenu({ entries, inRow = false }: MoreMenuProps) {
  const [made, setMade] = useState(!inRow);
  const button = (
    <button
      type="button"
      className="icon-button"
      aria-label="More actions"
      {...(inRow ? { tabIndex: -1 } : {})}
      {...(made ? {} : { 'aria-haspopup': 'menu', 'aria-expanded': false, onClick: () => setMade(true) })}
    >
      <EllipsisVertical className="icon" aria-hidden />
    </button>
  );
  return made ? <Menu entries={entries} trigger={button} defaultOpen={inRow} /> : button;
}

function MenuItem({ entry }: { entry: MenuEntry }) {
  const Icon = entry.icon;
  return (
    <>
      {entry.separated ? <DropdownMenu.Separator className="menu-line" /> : null}
      <DropdownMenu.Item
        className={entry.danger ? 'menu-item bad' : 'menu-item'}
        disabled={entry.disabled === true}
        onSelect={entry.run}
      >
        <Icon className="icon" aria-hidden />
        <span>{entry.label}</span>
        {entry.shortcut === undefined ? null : <kbd>{entry.shortcut}</kbd>}
      </DropdownMenu.Item>
    </>
  );
}
