/**
 * Where the window is. Kept in `history.state`, not in the address: the fragment carried the secret, and Electron's
 * address means nothing to a user. Back, forward and reload work; a closed window starts at the containers.
 */
import { create } from 'zustand';

export const containerTabs = ['logs', 'terminal', 'overview', 'inspect'] as const;
export type ContainerTab = (typeof containerTabs)[number];

export type Route =
  | { readonly screen: 'containers' }
  | { readonly screen: 'container'; readonly id: string; readonly tab: ContainerTab }
  | { readonly screen: 'images' }
  | { readonly screen: 'image'; readonly id: string }
  | { readonly screen: 'engine' };

const home: Route = { screen: 'containers' };

/** What came out of `history.state`: anything at all. */
function parseRoute(value: unknown): Route | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { screen, id, tab } = value as { screen?: unknown; id?: unknown; tab?: unknown };
  if (screen === 'containers' || screen === 'images' || screen === 'engine') return { screen };
  if (typeof id !== 'string' || id === '') return undefined;
  if (screen === 'image') return { screen, id };
  if (screen === 'container') return { screen, id, tab: containerTabs.find((name) => name === tab) ?? 'logs' };
  return undefined;
}

const stateKey = 'wherryRoute';

function routeOf(state: unknown): Route {
  const record = typeof state === 'object' && state !== null ? (state as Record<string, unknown>) : {};
  return parseRoute(record[stateKey]) ?? home;
}

export const useRoute = create<{ readonly route: Route; readonly depth: number }>(() => ({
  route: routeOf(history.state),
  depth: 0,
}));

/** Goes there; `replace` leaves no step to come back to (a change of tab). */
export function navigate(route: Route, options: { readonly replace?: boolean } = {}): void {
  const state = { [stateKey]: route };
  if (options.replace === true) history.replaceState(state, '');
  else history.pushState(state, '');
  useRoute.setState(({ depth }) => ({ route, depth: options.replace === true ? depth : depth + 1 }));
}

window.addEventListener('popstate', (event) => {
  useRoute.setState(({ depth }) => ({ route: routeOf(event.state), depth: Math.max(0, depth - 1) }));
});
