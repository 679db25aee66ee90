/** Every action and every object, as the palette offers them. */
import {
  Box,
  Download,
  FileText,
  Keyboard,
  Layers,
  Play,
  Power,
  RotateCw,
  Ship,
  Square,
  SquareTerminal,
} from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import type { ContainerView, ImageView } from '../../../src-main/contract/engine.ts';
import { actOnContainers, canDo } from '../../actions/containers.ts';
import { actOnEngine } from '../../actions/engine.ts';
import { visibleText } from '../../format/unsafe-text.ts';
import { openDialog } from '../../stores/dialogs.ts';
import { navigate } from '../../stores/navigation.ts';
import { fuzzyScore } from './fuzzy.ts';

export interface Command {
  readonly key: string;
  readonly text: string;
  readonly note: string;
  readonly icon: LucideIcon;
  readonly run: () => void;
}

const shown = 50;

/** The best first; with nothing typed, places and actions before objects. */
export function findCommands(commands: readonly Command[], query: string): readonly Command[] {
  const scored = commands.flatMap((command) => {
    const score = fuzzyScore(query, command.text);
    return score === undefined ? [] : [{ command, score }];
  });
  if (query.trim() !== '') scored.sort((a, b) => b.score - a.score);
  return scored.slice(0, shown).map(({ command }) => command);
}

export function allCommands(
  containers: readonly ContainerView[],
  images: readonly ImageView[],
  ready: boolean,
  off: boolean,
): readonly Command[] {
  return [
    ...places,
    ...(ready ? engineActions : []),
    ...(off ? [startEngine] : []),
    ...containers.flatMap((container) => containerCommands(container, ready)),
    ...(ready ? images.flatMap(imageCommands) : []),
  ];
}

const places: readonly Command[] = [
  { key: 'go-c', text: 'Containers', note: 'Go', icon: Box, run: () => navigate({ screen: 'containers' }) },
  { key: 'go-i', text: 'Images', note: 'Go', icon: Layers, run: () => navigate({ screen: 'images' }) },
  { key: 'go-e', text: 'Engine', note: 'Go', icon: Ship, run: () => navigate({ screen: 'engine' }) },
  { key: 'keys', text: 'Keyboard shortcuts', note: '', icon: Keyboard, run: () => openDialog({ kind: 'shortcuts' }) },
];

const startEngine: Command = {
  key: 'engine-start',
  text: 'Start the engine',
  note: '',
  icon: Power,
  run: () => void actOnEngine('start'),
};

const engineActions: readonly Command[] = [
  { key: 'pull', text: 'Pull an image', note: '', icon: Download, run: () => openDialog({ kind: 'pull' }) },
  { key: 'run', text: 'Run a container', note: '', icon: Play, run: () => openDialog({ kind: 'run' }) },
  {
    key: 'engine-restart',
    text: 'Restart the engine',
    note: '',
    icon: RotateCw,
    run: () => openDialog({ kind: 'stop-engine', restart: true }),
  },
  {
    key: 'engine-stop',
    text: 'Stop the engine',
    note: '',
    icon: Power,
    run: () => openDialog({ kind: 'stop-engine', restart: false }),
  },
];

function containerCommands(container: ContainerView, ready: boolean): readonly Command[] {
  const { id, state } = container;
  const name = visibleText(container.name, 120);
  const go = (tab: 'logs' | 'terminal') => () => navigate({ screen: 'container', id, tab });
  const open: Command[] = [
    { key: `${id}-logs`, text: name, note: 'Logs', icon: FileText, run: go('logs') },
    { key: `${id}-term`, text: `${name} terminal`, note: 'Terminal', icon: SquareTerminal, run: go('terminal') },
  ];
  if (!ready) return open;
  const stops = canDo('stop', state);
  return [
    ...open,
    {
      key: `${id}-power`,
      text: `${stops ? 'Stop' : 'Start'} ${name}`,
      note: 'Container',
      icon: stops ? Square : Play,
      run: () => void actOnContainers(stops ? 'stop' : 'start', [container]),
    },
  ];
}

function imageCommands({ tags }: ImageView): readonly Command[] {
  return tags.map((tag) => ({
    key: `run-${tag}`,
    text: `Run ${visibleText(tag, 120)}`,
    note: 'Image',
    icon: Play,
    run: () => openDialog({ kind: 'run', image: tag }),
  }));
}
