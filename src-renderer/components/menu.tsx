import type { ReactNode } from 'react';
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

/** A button's menu; arrow keys, typing and Escape as everywhere. */
export function Menu({ trigger, entries }: { trigger: ReactNode; entries: readonly MenuEntry[] }) {
  return (
    <DropdownMenu.Root modal={false}>
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

/** The three dots of an object's row or page. @param inRow The row has the keys: Tab goes past it. */
export function MoreMenu({ entries, inRow = false }: { entries: readonly MenuEntry[]; inRow?: boolean }) {
  return (
    <Menu
      entries={entries}
      trigger={
        <button type="button" className="icon-button" aria-label="More actions" {...(inRow ? { tabIndex: -1 } : {})}>
          <EllipsisVertical className="icon" aria-hidden />
        </button>
      }
    />
  );
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
