/** The containers in the tray's menu, as data. */
import type { MenuItemConstructorOptions } from 'electron';
import type { ContainerView } from '../contract/engine.ts';
import { distinctPorts, portUrl } from '../contract/ports.ts';
import { menuText } from './plain-text.ts';

export interface ContainerActions {
  readonly openContainer: (container: ContainerView, tab: 'logs' | 'terminal') => void;
  /** In the user's browser. */
  readonly openPort: (url: string) => void;
  readonly startContainer: (container: ContainerView) => void;
  readonly stopContainer: (container: ContainerView) => void;
}

/** A menu of more is not read any more; the window has all of them. */
const maxShown = 12;
/** Of one container. */
const maxPorts = 8;

export function isUp({ state }: ContainerView): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting';
}

/** Of what the menu shows: when it is the same, the menu need not be made anew. */
export function trayKey(containers: readonly ContainerView[]): string {
  return JSON.stringify(containers.map(({ id, name, state, ports }) => [id, name, state, urlsOf(ports)]));
}

/** Those that run, each with what can be done to it; those that do not, below, to be started. */
export function containerItems(
  containers: readonly ContainerView[],
  actions: ContainerActions,
): MenuItemConstructorOptions[] {
  const running = containers.filter(isUp);
  const stopped = containers.filter(({ state }) => state === 'exited' || state === 'created');
  const count = running.length === 1 ? '1 container runs' : `${running.length} containers run`;
  return [
    { label: running.length === 0 ? 'No container runs' : count, enabled: false },
    ...running.slice(0, maxShown).map((container) => runningItem(container, actions)),
    ...moreItem(running.length),
    ...(stopped.length === 0
      ? []
      : [
          {
            label: 'Start',
            submenu: [
              ...stopped.slice(0, maxShown).map((container) => ({
                label: menuText(container.name),
                click: () => actions.startContainer(container),
              })),
              ...moreItem(stopped.length),
            ],
          },
        ]),
  ];
}

function runningItem(container: ContainerView, actions: ContainerActions): MenuItemConstructorOptions {
  const { state, health } = container;
  const note = state === 'running' ? (health === 'unhealthy' ? ' (unhealthy)' : '') : ` (${state})`;
  return {
    label: `${menuText(container.name)}${note}`,
    submenu: [
      { label: 'Open', click: () => actions.openContainer(container, 'logs') },
      {
        label: 'Open Terminal',
        enabled: state === 'running',
        click: () => actions.openContainer(container, 'terminal'),
      },
      ...urlsOf(container.ports).map((url) => ({
        label: `Open ${url.replace(/^https?:\/\/|\/$/g, '')}`,
        click: () => actions.openPort(url),
      })),
      { type: 'separator' },
      { label: 'Stop', click: () => actions.stopContainer(container) },
    ],
  };
}

function urlsOf(ports: ContainerView['ports']): readonly string[] {
  return distinctPorts(ports)
    .flatMap((port) => portUrl(port) ?? [])
    .slice(0, maxPorts);
}

function moreItem(count: number): MenuItemConstructorOptions[] {
  return count <= maxShown ? [] : [{ label: `${count - maxShown} more in the window`, enabled: false }];
}
