import {
  ChartLine,
  CirclePause,
  CirclePlay,
  Copy,
  Pencil,
  SquareChevronRight,
  FileText,
  PenLine,
  SquareTerminal,
  Trash2,
  Zap,
} from 'lucide-react';
import type { ContainerView } from '../../src-main/contract/engine.ts';
import { actOnContainers, canDo } from '../actions/containers.ts';
import { copyText } from '../actions/links.ts';
import { copyRunCommand } from '../actions/run-command.ts';
import { openDialog } from '../stores/dialogs.ts';
import { navigate } from '../stores/navigation.ts';
import type { MenuEntry } from './menu.tsx';

/** What a container's menu offers, on its row and on its page. */
export function containerMenu(container: ContainerView, ready: boolean): readonly MenuEntry[] {
  const { id, state } = container;
  const paused = state === 'paused';
  return [
    {
      label: 'Logs',
      icon: FileText,
      shortcut: 'l',
      run: () => navigate({ screen: 'container', id, tab: 'logs' }),
    },
    {
      label: 'Terminal',
      icon: SquareTerminal,
      shortcut: 't',
      run: () => navigate({ screen: 'container', id, tab: 'terminal' }),
    },
    {
      label: 'Stats',
      icon: ChartLine,
      run: () => navigate({ screen: 'container', id, tab: 'stats' }),
    },
    {
      label: paused ? 'Resume' : 'Pause',
      icon: paused ? CirclePlay : CirclePause,
      shortcut: 'p',
      disabled: !ready || !canDo(paused ? 'unpause' : 'pause', state),
      separated: true,
      run: () => void actOnContainers(paused ? 'unpause' : 'pause', [container]),
    },
    {
      label: 'Kill',
      icon: Zap,
      disabled: !ready || !canDo('kill', state),
      run: () => void actOnContainers('kill', [container]),
    },
    { label: 'Edit…', icon: Pencil, disabled: !ready, run: () => openDialog({ kind: 'edit-container', id }) },
    { label: 'Rename…', icon: PenLine, disabled: !ready, run: () => openDialog({ kind: 'rename', id }) },
    { label: 'Copy ID', icon: Copy, separated: true, run: () => void copyText(id, 'the container’s ID') },
    {
      label: 'Copy docker run command',
      icon: SquareChevronRight,
      disabled: !ready,
      run: () => void copyRunCommand(container),
    },
    {
      label: 'Remove…',
      icon: Trash2,
      shortcut: 'Del',
      danger: true,
      disabled: !ready || !canDo('remove', state),
      separated: true,
      run: () => openDialog({ kind: 'remove-containers', ids: [id] }),
    },
  ];
}
