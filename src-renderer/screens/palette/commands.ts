/** Every action and every object, as the palette offers them. */
import {
  Activity,
  Box,
  Brush,
  Cable,
  CirclePause,
  CirclePlay,
  Download,
  FileText,
  Hammer,
  HardDrive,
  Keyboard,
  KeyRound,
  Layers,
  Moon,
  Network,
  Play,
  Plus,
  Power,
  RotateCw,
  Rss,
  Search,
  Ship,
  Square,
  SquareTerminal,
  Tag,
  Trash2,
} from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import type { ContainerView, ImageView } from '../../../src-main/contract/engine.ts';
import type { NetworkView } from '../../../src-main/contract/networks.ts';
import type { VolumeView } from '../../../src-main/contract/volumes.ts';
import { actOnContainers, canDo } from '../../actions/containers.ts';
import { actOnEngine } from '../../actions/engine.ts';
import { visibleText } from '../../format/unsafe-text.ts';
import { openDialog } from '../../stores/dialogs.ts';
import { navigate } from '../../stores/navigation.ts';
import { canConnect } from '../networks/network-menu.tsx';
import { isRemovable } from '../networks/network-use.ts';
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

export interface Objects {
  readonly containers: readonly ContainerView[];
  readonly images: readonly ImageView[];
  readonly volumes: readonly VolumeView[];
  readonly networks: readonly NetworkView[];
}

export function allCommands(objects: Objects, ready: boolean, off: boolean): readonly Command[] {
  return [
    ...places,
    ...(ready ? engineActions : []),
    ...(off ? [startEngine] : []),
    ...objects.containers.flatMap((container) => containerCommands(container, ready)),
    ...objects.images.flatMap((image) => imageCommands(image, ready)),
    ...objects.volumes.flatMap((volume) => volumeCommands(volume, ready)),
    ...objects.networks.flatMap((network) => networkCommands(network, ready)),
  ];
}

const places: readonly Command[] = [
  { key: 'go-c', text: 'Containers', note: 'Go', icon: Box, run: () => navigate({ screen: 'containers' }) },
  { key: 'go-i', text: 'Images', note: 'Go', icon: Layers, run: () => navigate({ screen: 'images' }) },
  { key: 'go-v', text: 'Volumes', note: 'Go', icon: HardDrive, run: () => navigate({ screen: 'volumes' }) },
  { key: 'go-n', text: 'Networks', note: 'Go', icon: Network, run: () => navigate({ screen: 'networks' }) },
  { key: 'go-r', text: 'Registries', note: 'Go', icon: KeyRound, run: () => navigate({ screen: 'registries' }) },
  { key: 'go-l', text: 'Logs', note: 'Go', icon: FileText, run: () => navigate({ screen: 'logs' }) },
  { key: 'go-w', text: 'Events', note: 'Go', icon: Rss, run: () => navigate({ screen: 'events' }) },
  { key: 'go-a', text: 'Activity', note: 'Go', icon: Activity, run: () => openDialog({ kind: 'activity' }) },
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
  {
    key: 'search',
    text: 'Search images…',
    note: '',
    icon: Search,
    run: () => openDialog({ kind: 'search-images' }),
  },
  { key: 'build', text: 'Build an image', note: '', icon: Hammer, run: () => openDialog({ kind: 'build' }) },
  { key: 'run', text: 'Run a container', note: '', icon: Play, run: () => openDialog({ kind: 'run' }) },
  {
    key: 'volume',
    text: 'Create a volume',
    note: '',
    icon: Plus,
    run: () => openDialog({ kind: 'create-volume' }),
  },
  { key: 'network', text: 'Create a network', note: '', icon: Plus, run: () => openDialog({ kind: 'create-network' }) },
  {
    key: 'browse',
    text: 'Browse a registry',
    note: '',
    icon: KeyRound,
    run: () => openDialog({ kind: 'browse-registry' }),
  },
  { key: 'log-in', text: 'Log in to a registry', note: '', icon: KeyRound, run: () => openDialog({ kind: 'log-in' }) },
  {
    key: 'prune-images',
    text: 'Clean up images',
    note: '',
    icon: Brush,
    run: () => openDialog({ kind: 'prune-images' }),
  },
  {
    key: 'prune-volumes',
    text: 'Clean up volumes',
    note: '',
    icon: Brush,
    run: () => openDialog({ kind: 'prune-volumes' }),
  },
  {
    key: 'prune-networks',
    text: 'Clean up networks',
    note: '',
    icon: Brush,
    run: () => openDialog({ kind: 'remove-networks' }),
  },
  {
    key: 'engine-restart',
    text: 'Restart the engine',
    note: '',
    icon: RotateCw,
    run: () => openDialog({ kind: 'stop-engine', restart: true }),
  },
  {
    key: 'engine-sleep',
    text: 'Put the engine to sleep',
    note: '',
    icon: Moon,
    run: () => void actOnEngine('sleep'),
  },
  {
    key: 'engine-stop',
    text: 'Stop the engine',
    note: '',
    icon: Power,
    run: () => openDialog({ kind: 'stop-engine', restart: false }),
  },
  {
    key: 'engine-reset',
    text: 'Reset the engine: remove everything',
    note: '',
    icon: Trash2,
    run: () => openDialog({ kind: 'reset-engine' }),
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
  const act = (verb: 'restart' | 'pause' | 'unpause', label: string, icon: LucideIcon): readonly Command[] =>
    canDo(verb, state)
      ? [
          {
            key: `${id}-${verb}`,
            text: `${label} ${name}`,
            note: 'Container',
            icon,
            run: () => void actOnContainers(verb, [container]),
          },
        ]
      : [];
  return [
    ...open,
    {
      key: `${id}-power`,
      text: `${stops ? 'Stop' : 'Start'} ${name}`,
      note: 'Container',
      icon: stops ? Square : Play,
      run: () => void actOnContainers(stops ? 'stop' : 'start', [container]),
    },
    ...act('restart', 'Restart', RotateCw),
    ...act('pause', 'Pause', CirclePause),
    ...act('unpause', 'Resume', CirclePlay),
    {
      key: `${id}-remove`,
      text: `Remove ${name}`,
      note: 'Container',
      icon: Trash2,
      run: () => openDialog({ kind: 'remove-containers', ids: [id] }),
    },
  ];
}

function imageCommands({ id, tags }: ImageView, ready: boolean): readonly Command[] {
  return tags.flatMap((tag) => {
    const name = visibleText(tag, 120);
    const open: Command = {
      key: `image-${tag}`,
      text: name,
      note: 'Image',
      icon: Layers,
      run: () => navigate({ screen: 'image', id }),
    };
    if (!ready) return [open];
    return [
      open,
      {
        key: `run-${tag}`,
        text: `Run ${name}`,
        note: 'Image',
        icon: Play,
        run: () => openDialog({ kind: 'run', image: tag }),
      },
      {
        key: `tag-${tag}`,
        text: `Add a name to ${name}`,
        note: 'Image',
        icon: Tag,
        run: () => openDialog({ kind: 'tag-image', id }),
      },
      {
        key: `remove-${tag}`,
        text: `Remove ${name}`,
        note: 'Image',
        icon: Trash2,
        run: () => openDialog({ kind: 'remove-image', id }),
      },
    ];
  });
}

function volumeCommands({ name, usedBy }: VolumeView, ready: boolean): readonly Command[] {
  const text = visibleText(name, 120);
  const open: Command = {
    key: `volume-${name}`,
    text,
    note: 'Volume',
    icon: HardDrive,
    run: () => navigate({ screen: 'volume', id: name }),
  };
  if (!ready || usedBy.length > 0) return [open];
  return [
    open,
    {
      key: `remove-volume-${name}`,
      text: `Remove ${text}`,
      note: 'Volume',
      icon: Trash2,
      run: () => openDialog({ kind: 'remove-volumes', names: [name] }),
    },
  ];
}

function networkCommands(network: NetworkView, ready: boolean): readonly Command[] {
  const { id } = network;
  const name = visibleText(network.name, 120);
  const command = (verb: string, text: string, icon: LucideIcon, run: () => void): Command => ({
    key: `network-${verb}-${id}`,
    text,
    note: 'Network',
    icon,
    run,
  });
  return [
    command('open', name, Network, () => navigate({ screen: 'network', id })),
    ...(ready && canConnect(network)
      ? [
          command('connect', `Connect a container to ${name}`, Cable, () =>
            openDialog({ kind: 'connect-container', id }),
          ),
        ]
      : []),
    ...(ready && isRemovable(network)
      ? [command('remove', `Remove ${name}`, Trash2, () => openDialog({ kind: 'remove-networks', id }))]
      : []),
  ];
}
