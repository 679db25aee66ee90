/**
 * Where the window is. Kept in `history.state`, not in the address: the fragment carried the secret, and Electron's
 * address means nothing to a user. Back, forward and reload work; a window opened anew starts where the last one was.
 */
import { create } from 'zustand';
import { linkPath, parseDeepLink, type DeepLink, type NamedNoun } from '../../src-main/contract/deep-links.ts';
import { takeAddressLink } from '../bridge.ts';

export const containerTabs = [
  'logs',
  'terminal',
  'files',
  'stats',
  'processes',
  'history',
  'overview',
  'inspect',
] as const;
export type ContainerTab = (typeof containerTabs)[number];

/** The screens of the sidebar, in its order. */
export const places = [
  'containers',
  'images',
  'volumes',
  'networks',
  'registries',
  'logs',
  'events',
  'engine',
] as const;
export type Place = (typeof places)[number];

export type Route =
  | { readonly screen: Place }
  | { readonly screen: 'container'; readonly id: string; readonly tab: ContainerTab }
  /** A registry's id is its server; the page of one of its repositories is that of its tags. */
  | { readonly screen: 'registry'; readonly id: string; readonly repository?: string }
  /** A volume's id is its name. */
  | { readonly screen: 'image' | 'volume' | 'network'; readonly id: string };

const home: Route = { screen: 'containers' };

/** The place of the sidebar that a route belongs to. */
export function placeOf({ screen }: Route): Place {
  if (screen === 'registry') return 'registries';
  if (screen === 'container' || screen === 'image' || screen === 'volume' || screen === 'network') return `${screen}s`;
  return screen;
}

/** What came out of `history.state` or the storage: anything at all. */
export function parseRoute(value: unknown): Route | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { screen, id, tab, repository } = value as Readonly<Record<string, unknown>>;
  const place = places.find((name) => name === screen);
  if (place !== undefined) return { screen: place };
  if (typeof id !== 'string' || id === '') return undefined;
  if (screen === 'image' || screen === 'volume' || screen === 'network') return { screen, id };
  if (screen === 'registry') return { screen, id, ...(typeof repository === 'string' ? { repository } : {}) };
  if (screen === 'container') return { screen, id, tab: containerTabs.find((name) => name === tab) ?? 'logs' };
  return undefined;
}

const stateKey = 'wherryRoute';
const storageKey = 'wherry.route';

function routeOf(state: unknown): Route | undefined {
  const record = typeof state === 'object' && state !== null ? (state as Record<string, unknown>) : {};
  return parseRoute(record[stateKey]);
}

function lastRoute(): Route | undefined {
  try {
    return parseRoute(JSON.parse(localStorage.getItem(storageKey) ?? 'null'));
  } catch {
    // Somebody else's text: as if nothing had been kept.
    return undefined;
  }
}

/** `link` waits for the engine's lists, since it names what a route knows by its id. */
export const useRoute = create<{ readonly route: Route; readonly link: DeepLink | undefined }>(() => ({
  route: routeOf(history.state) ?? lastRoute() ?? home,
  link: takeLink(),
}));

useRoute.subscribe(({ route }) => localStorage.setItem(storageKey, JSON.stringify(route)));

/** Goes there; `replace` leaves no step to come back to (a change of tab). */
export function navigate(route: Route, options: { readonly replace?: boolean } = {}): void {
  const state = { [stateKey]: route };
  if (options.replace === true) history.replaceState(state, '');
  else history.pushState(state, '');
  useRoute.setState({ route });
}

/** The link was followed, or led nowhere. */
export function dropLink(): void {
  useRoute.setState({ link: undefined });
}

window.addEventListener('popstate', (event) => useRoute.setState({ route: routeOf(event.state) ?? home }));
window.addEventListener('hashchange', () => useRoute.setState({ link: takeLink() }));

function takeLink(): DeepLink | undefined {
  const path = takeAddressLink();
  return path === '' ? undefined : parseDeepLink(path);
}

/** The address of a route in words that mean the same in another window: names, not ids. */
export function linkOf(noun: NamedNoun, name: string, tab?: string): string {
  return `wherry:/${linkPath({ noun, name, ...(tab === undefined ? {} : { tab }) })}`;
}
