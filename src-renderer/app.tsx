import { lazy, Suspense, useEffect } from 'react';
import { Tooltip } from 'radix-ui';
import { Banner } from './components/banner.tsx';
import { Dialogs } from './components/dialogs.tsx';
import { ErrorBoundary } from './components/error-boundary.tsx';
import { Sidebar } from './components/sidebar.tsx';
import { ToastList } from './components/toasts.tsx';
import { useDeepLinks } from './deep-links.ts';
import { useGlobalKeys } from './global-keys.ts';
import { BootScreen } from './screens/boot/boot-screen.tsx';
import { useRoute, type Route } from './stores/navigation.ts';
import { useBootShown, useSettings } from './stores/vm.ts';

const ContainersScreen = lazy(() =>
  import('./screens/containers/containers-screen.tsx').then((module) => ({ default: module.ContainersScreen })),
);
const ContainerScreen = lazy(() =>
  import('./screens/container/container-screen.tsx').then((module) => ({ default: module.ContainerScreen })),
);
const ImagesScreen = lazy(() =>
  import('./screens/images/images-screen.tsx').then((module) => ({ default: module.ImagesScreen })),
);
const ImageScreen = lazy(() =>
  import('./screens/images/image-screen.tsx').then((module) => ({ default: module.ImageScreen })),
);
const VolumesScreen = lazy(() =>
  import('./screens/volumes/volumes-screen.tsx').then((module) => ({ default: module.VolumesScreen })),
);
const VolumeScreen = lazy(() =>
  import('./screens/volumes/volume-screen.tsx').then((module) => ({ default: module.VolumeScreen })),
);
const NetworksScreen = lazy(() =>
  import('./screens/networks/networks-screen.tsx').then((module) => ({ default: module.NetworksScreen })),
);
const NetworkScreen = lazy(() =>
  import('./screens/networks/network-screen.tsx').then((module) => ({ default: module.NetworkScreen })),
);
const RegistriesScreen = lazy(() =>
  import('./screens/registries/registries-screen.tsx').then((module) => ({ default: module.RegistriesScreen })),
);
const RegistryScreen = lazy(() =>
  import('./screens/registries/registry-screen.tsx').then((module) => ({ default: module.RegistryScreen })),
);
const LogsScreen = lazy(() =>
  import('./screens/logs/logs-screen.tsx').then((module) => ({ default: module.LogsScreen })),
);
const EventsScreen = lazy(() =>
  import('./screens/events/events-screen.tsx').then((module) => ({ default: module.EventsScreen })),
);
const EngineScreen = lazy(() =>
  import('./screens/engine/engine-screen.tsx').then((module) => ({ default: module.EngineScreen })),
);

export function App() {
  useTheme();
  useGlobalKeys();
  useDeepLinks();
  const route = useRoute((state) => state.route);
  return (
    <Tooltip.Provider delayDuration={450} skipDelayDuration={250} disableHoverableContent>
      <div className="app">
        <Sidebar />
        <main className="main" aria-label="Main">
          <Banner />
          <ErrorBoundary key={keyOf(route)}>
            <Suspense fallback={null}>
              <Screen route={route} />
            </Suspense>
          </ErrorBoundary>
        </main>
      </div>
      <Dialogs />
      <ToastList />
    </Tooltip.Provider>
  );
}

/** Until the engine has answered once, every noun's screen is the boot; after that, the last known data stays. */
function Screen({ route }: { route: Route }) {
  const boot = useBootShown();
  if (boot && route.screen !== 'engine') return <BootScreen />;
  switch (route.screen) {
    case 'containers':
      return <ContainersScreen />;
    case 'container':
      return <ContainerScreen key={route.id} id={route.id} tab={route.tab} />;
    case 'images':
      return <ImagesScreen />;
    case 'image':
      return <ImageScreen key={route.id} id={route.id} />;
    case 'volumes':
      return <VolumesScreen />;
    case 'volume':
      return <VolumeScreen key={route.id} name={route.id} />;
    case 'networks':
      return <NetworksScreen />;
    case 'network':
      return <NetworkScreen key={route.id} id={route.id} />;
    case 'registries':
      return <RegistriesScreen />;
    case 'registry':
      return <RegistryScreen key={keyOf(route)} server={route.id} repository={route.repository} />;
    case 'logs':
      return <LogsScreen />;
    case 'events':
      return <EventsScreen />;
    case 'engine':
      return <EngineScreen />;
  }
}

function keyOf(route: Route): string {
  if (route.screen === 'registry') return `registry:${route.id}/${route.repository ?? ''}`;
  return 'id' in route ? `${route.screen}:${route.id}` : route.screen;
}

const themeKey = 'wherry.theme';

/** The theme is a setting of the host; the last one is kept here so that the first paint is right. */
function useTheme(): void {
  const theme = useSettings((state) => state.value?.appearance.theme) ?? localStorage.getItem(themeKey) ?? 'system';
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    localStorage.setItem(themeKey, theme);
  }, [theme]);
}
