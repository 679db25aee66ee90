/** Containers that compose made for one project: the head of their group in the list. */
import type { KeyboardEvent } from 'react';
import { EllipsisVertical, FileText, Play, RotateCw, Square, Trash2 } from 'lucide-react';
import type { ContainerView } from '../../../src-main/contract/engine.ts';
import { actOnContainers, canDo, type ContainerVerb } from '../../actions/containers.ts';
import { keptFor } from '../../actions/edit-container.ts';
import { IconButton } from '../../components/button.tsx';
import { Menu, type MenuEntry } from '../../components/menu.tsx';
import { Outside } from '../../components/text.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { openDialog } from '../../stores/dialogs.ts';
import { chooseLogs } from '../../stores/log-choice.ts';
import { navigate } from '../../stores/navigation.ts';
import { useEngineReady } from '../../stores/vm.ts';

/** The compose project that made it. */
export function projectOf({ labels }: ContainerView): string | undefined {
  return labels['com.docker.compose.project'] || undefined;
}

export function ProjectHead({ project, containers }: { project: string; containers: readonly ContainerView[] }) {
  const ready = useEngineReady();
  const running = containers.filter(({ state }) => state === 'running').length;
  const can = (verb: ContainerVerb) => ready && targetsOf(verb, containers).some(({ state }) => canDo(verb, state));
  const stops = containers.some(({ state }) => canDo('stop', state));
  const name = visibleText(project, 60);
  const entries: readonly MenuEntry[] = [
    { label: 'Start all', icon: Play, disabled: !can('start'), run: () => act('start', containers) },
    { label: 'Stop all', icon: Square, disabled: !can('stop'), run: () => act('stop', containers) },
    {
      label: 'Restart all',
      icon: RotateCw,
      shortcut: 'r',
      disabled: !can('restart'),
      run: () => act('restart', containers),
    },
    {
      label: 'Logs of all',
      icon: FileText,
      separated: true,
      run: () => {
        chooseLogs(containers.map(({ id }) => id));
        navigate({ screen: 'logs' });
      },
    },
    {
      label: 'Remove all…',
      icon: Trash2,
      shortcut: 'Del',
      danger: true,
      separated: true,
      disabled: !can('remove'),
      run: () => askToRemove(containers),
    },
  ];
  return (
    <>
      <Outside text={project} className="strong" />
      <span className="quiet group-count">
        {running} of {containers.length} running
      </span>
      <span className="spacer" />
      <div className="row-actions">
        <IconButton
          icon={stops ? Square : Play}
          label={stops ? `Stop all of ${name}` : `Start all of ${name}`}
          shortcut="s"
          plain
          tabIndex={-1}
          disabled={!can(stops ? 'stop' : 'start')}
          onClick={() => act(stops ? 'stop' : 'start', containers)}
        />
        <Menu
          entries={entries}
          trigger={
            <button type="button" className="icon-button" aria-label={`More actions on ${name}`} tabIndex={-1}>
              <EllipsisVertical className="icon" aria-hidden />
            </button>
          }
        />
      </div>
    </>
  );
}

/** The keys of a row, on all of the group. */
export function pressProjectKey(containers: readonly ContainerView[], event: KeyboardEvent): void {
  const stops = containers.some(({ state }) => canDo('stop', state));
  if (event.key === 's') act(stops ? 'stop' : 'start', containers);
  else if (event.key === 'r') act('restart', containers);
  else if (event.key === 'Delete' || event.key === 'Backspace') askToRemove(containers);
  else return;
  event.preventDefault();
}

/** What is kept from before an edit stands in the group too; it is removed with it, but not started beside the new one. */
function targetsOf(verb: ContainerVerb, containers: readonly ContainerView[]): readonly ContainerView[] {
  if (verb !== 'start' && verb !== 'restart') return containers;
  return containers.filter((container) => !containers.some((other) => keptFor(other, [container])));
}

function act(verb: 'start' | 'stop' | 'restart', containers: readonly ContainerView[]): void {
  void actOnContainers(verb, targetsOf(verb, containers));
}

function askToRemove(containers: readonly ContainerView[]): void {
  openDialog({ kind: 'remove-containers', ids: containers.map(({ id }) => id) });
}
