import { Cable, Copy, Link, Trash2 } from 'lucide-react';
import type { NetworkView } from '../../../src-main/contract/networks.ts';
import { copyText } from '../../actions/links.ts';
import type { MenuEntry } from '../../components/menu.tsx';
import { openDialog } from '../../stores/dialogs.ts';
import { linkOf } from '../../stores/navigation.ts';
import { isRemovable } from './network-use.ts';

/** `host` and `none` are chosen when a container is made, and for good. */
export function canConnect({ driver }: NetworkView): boolean {
  return driver !== 'host' && driver !== 'null';
}

export function networkMenu(network: NetworkView, ready: boolean): readonly MenuEntry[] {
  const { id, name, builtIn } = network;
  return [
    ...(canConnect(network)
      ? [
          {
            label: 'Connect a container…',
            icon: Cable,
            disabled: !ready,
            run: () => openDialog({ kind: 'connect-container', id }),
          },
        ]
      : []),
    { label: 'Copy ID', icon: Copy, run: () => void copyText(id, 'the network’s ID') },
    { label: 'Copy link', icon: Link, run: () => void copyText(linkOf('networks', name), 'the link') },
    ...(builtIn
      ? []
      : [
          {
            label: 'Remove…',
            icon: Trash2,
            shortcut: 'Del',
            danger: true,
            separated: true,
            disabled: !ready || !isRemovable(network),
            run: () => openDialog({ kind: 'remove-networks', id }),
          },
        ]),
  ];
}
