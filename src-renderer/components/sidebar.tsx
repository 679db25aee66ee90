import {
  Activity as ActivityIcon,
  Box,
  Command,
  FileText,
  HardDrive,
  KeyRound,
  Layers,
  Network,
  Rss,
  Ship,
  type LucideIcon,
} from 'lucide-react';
import { Logo } from '../logo.tsx';
import { openDialog } from '../stores/dialogs.ts';
import { navigate, placeOf, places, useRoute, type Place } from '../stores/navigation.ts';
import { useContainers, useImages, useNetworks, useVolumes } from '../stores/objects.ts';
import { useTasks } from '../stores/tasks.ts';
import { useBootShown } from '../stores/vm.ts';
import { Activity } from './activity.tsx';
import { EngineStatus } from './engine-status.tsx';

const looks: Readonly<Record<Place, { readonly label: string; readonly icon: LucideIcon }>> = {
  containers: { label: 'Containers', icon: Box },
  images: { label: 'Images', icon: Layers },
  volumes: { label: 'Volumes', icon: HardDrive },
  networks: { label: 'Networks', icon: Network },
  registries: { label: 'Registries', icon: KeyRound },
  logs: { label: 'Logs', icon: FileText },
  events: { label: 'Events', icon: Rss },
  engine: { label: 'Engine', icon: Ship },
};

/** Hull of the window: where to go, what is under way, and how the engine is. */
export function Sidebar() {
  const route = useRoute((state) => state.route);
  const counts = useCounts();
  return (
    <aside className="sidebar" aria-label="Sidebar">
      <div className="brand">
        <Logo />
        <span className="brand-name">Wherry</span>
        <button
          type="button"
          className="icon-button palette-button"
          aria-label="Command palette"
          title="Command palette (Ctrl+K)"
          onClick={() => openDialog({ kind: 'palette' })}
        >
          <Command className="icon" aria-hidden />
        </button>
      </div>
      <nav aria-label="Main">
        {places.map((place) => {
          const { label, icon: Icon } = looks[place];
          return (
            <button
              key={place}
              type="button"
              className={place === 'logs' ? 'place apart' : 'place'}
              title={label}
              aria-current={placeOf(route) === place ? 'page' : undefined}
              onClick={() => navigate({ screen: place })}
            >
              <Icon className="icon" aria-hidden />
              <span className="place-label">{label}</span>
              <span className="place-count">{counts[place]}</span>
            </button>
          );
        })}
        <ActivityPlace />
      </nav>
      <Activity />
      <EngineStatus />
    </aside>
  );
}

/** Only in a narrow window, where the list below has no room. */
function ActivityPlace() {
  const running = useTasks((state) => state.value?.some((task) => task.state === 'running') ?? false);
  return (
    <button
      type="button"
      className={running ? 'place activity-place running' : 'place activity-place'}
      title="Activity"
      aria-label={running ? 'Activity: work is under way' : 'Activity'}
      onClick={() => openDialog({ kind: 'activity' })}
    >
      <ActivityIcon className="icon" aria-hidden />
    </button>
  );
}

function useCounts(): Readonly<Record<Place, string>> {
  const containers = useContainers((state) => state.value?.length);
  const images = useImages((state) => state.value?.length);
  const volumes = useVolumes((state) => state.value?.length);
  const networks = useNetworks((state) => state.value?.length);
  // Before the engine answered, the host's lists are empty because nothing is known.
  const boot = useBootShown();
  const count = (length: number | undefined) => (length === undefined || boot ? '' : String(length));
  return {
    containers: count(containers),
    images: count(images),
    volumes: count(volumes),
    networks: count(networks),
    registries: '',
    logs: '',
    events: '',
    engine: '',
  };
}
