import { useId, useMemo, useState, type KeyboardEvent } from 'react';
import { Dialog } from 'radix-ui';
import { useReturnFocus } from '../../components/return-focus.ts';
import { useKeptInView } from '../../components/use-kept-in-view.ts';
import { closeDialog } from '../../stores/dialogs.ts';
import { useContainers, useImages, useNetworks, useVolumes } from '../../stores/objects.ts';
import { useHealth } from '../../stores/vm.ts';
import { allCommands, findCommands, type Command } from './commands.ts';

/** Type to find any action or object; Enter does it. */
export function Palette() {
  const containers = useContainers((state) => state.value);
  const images = useImages((state) => state.value);
  const volumes = useVolumes((state) => state.value);
  const networks = useNetworks((state) => state.value);
  const health = useHealth();
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const list = useId();
  const returnFocus = useReturnFocus();
  const commands = useMemo(
    () =>
      allCommands(
        { containers: containers ?? [], images: images ?? [], volumes: volumes ?? [], networks: networks ?? [] },
        health.usable,
        health.mend === 'start',
      ),
    [containers, images, volumes, networks, health],
  );
  const found = useMemo(() => findCommands(commands, query), [commands, query]);
  const place = Math.min(at, found.length - 1);
  const run = (command: Command | undefined) => {
    if (!command) return;
    closeDialog();
    command.run();
  };
  const keyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && found.length > 0) {
      event.preventDefault();
      setAt((place + step + found.length) % found.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(found[place]);
    }
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && closeDialog()}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog palette" aria-describedby={undefined} onCloseAutoFocus={returnFocus}>
          <Dialog.Title className="sr">Command palette</Dialog.Title>
          <input
            className="palette-input"
            role="combobox"
            aria-label="Find an action or object"
            aria-expanded
            aria-controls={list}
            aria-activedescendant={found.length === 0 ? undefined : `${list}-${place}`}
            placeholder="Go to, start, stop, run…"
            value={query}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => {
              setQuery(event.target.value);
              setAt(0);
            }}
            onKeyDown={keyDown}
          />
          <div className="palette-list scroll" role="listbox" id={list} aria-label="Found">
            {found.map((command, index) => (
              <Item
                key={command.key}
                id={`${list}-${index}`}
                command={command}
                active={index === place}
                onHover={() => setAt(index)}
                onRun={() => run(command)}
              />
            ))}
            {found.length === 0 ? <p className="palette-empty">Nothing has that name.</p> : null}
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

interface ItemProps {
  readonly id: string;
  readonly command: Command;
  readonly active: boolean;
  readonly onHover: () => void;
  readonly onRun: () => void;
}

function Item({ id, command, active, onHover, onRun }: ItemProps) {
  const element = useKeptInView(active);
  const Icon = command.icon;
  return (
    <div
      ref={element}
      id={id}
      className="palette-item"
      role="option"
      aria-selected={active}
      onPointerMove={onHover}
      onClick={onRun}
    >
      <Icon className="icon" aria-hidden />
      <bdi className="outside">{command.text}</bdi>
      <span className="quiet">{command.note}</span>
    </div>
  );
}
