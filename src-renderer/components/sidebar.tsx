import { useMemo } from 'react';
import { Box, Command, Layers, Ship, type LucideIcon } from 'lucide-react';
import { Logo } from '../logo.tsx';
import { openDialog } from '../stores/dialogs.ts';
import { navigate, useRoute, type Route } from '../stores/navigation.ts';
import { useContainers, useImages } from '../stores/objects.ts';
import { useBootShown } from '../stores/vm.ts';
import { Activity } from './activity.tsx';
import { EngineStatus } from './engine-status.tsx';

interface Place {
  readonly screen: 'containers' | 'images' | 'engine';
  readonly label: string;
  readonly icon: LucideIcon;
}

const places: readonly Place[] = [
  { screen: 'containers', label: 'Containers', icon: Box },
  { screen: 'images', label: 'Images', icon: Layers },
  { screen: 'engine', label: 'Engine', icon: Ship },
];

/** Hull of the window: where to go, what is under way, and how the engine is. */
export function Sidebar() {
  const route = useRoute((state) => state.route);
  const counts = useCounts();
  return (
    <aside className="sidebar">
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
        {places.map(({ screen, label, icon: Icon }) => (
          <button
            key={screen}
            type="button"
            className="place"
            title={label}
            aria-current={isAt(route, screen) ? 'page' : undefined}
            onClick={() => navigate({ screen })}
          >
            <Icon className="icon" aria-hidden />
            <span className="place-label">{label}</span>
            {screen === 'engine' ? null : <span className="place-count">{counts[screen]}</span>}
          </button>
        ))}
      </nav>
      <Activity />
      <EngineStatus />
    </aside>
  );
}

function isAt(route: Route, screen: Place['screen']): boolean {
  if (screen === 'containers') return route.screen === 'containers' || route.screen === 'container';
  if (screen === 'images') return route.screen === 'images' || route.screen === 'image';
  return route.screen === 'engine';
}

function useCounts(): { readonly containers: string; readonly images: string } {
  const containers = useContainers((state) => state.value);
  const images = useImages((state) => state.value);
  // Before the engine answered, the host's lists are empty because nothing is known.
  const boot = useBootShown();
  return useMemo(() => {
    const count = (list: readonly unknown[] | undefined) => (list && !boot ? String(list.length) : '');
    return { containers: count(containers), images: count(images) };
  }, [containers, images, boot]);
}
