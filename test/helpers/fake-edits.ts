/** Edits of the scripted host's containers, kept and taken back as the real host does, without an engine. */
import { randomBytes } from 'node:crypto';
import type { ContainerDetails, ContainerEdit, ContainerView, EditResult } from '../../src-main/contract/engine.ts';
import { AppError } from '../../src-main/contract/errors.ts';
import { detailsOf } from './window-fixtures.ts';
import type { Source } from './handlers.ts';

const label = 'wherry.replaces';

export class FakeEdits {
  readonly #containers: Source<readonly ContainerView[]>;
  /** What edits made of containers; the others are as their fixture says. */
  readonly #made = new Map<string, ContainerEdit>();

  constructor(containers: Source<readonly ContainerView[]>) {
    this.#containers = containers;
  }

  details(view: ContainerView): ContainerDetails {
    const details = detailsOf(view);
    return { ...details, editable: this.#made.get(view.id) ?? details.editable };
  }

  edit(view: ContainerView, edit: ContainerEdit): EditResult {
    const { command, environment, ports, mounts } = this.details(view).editable;
    const same = JSON.stringify([command, environment, ports, mounts]);
    if (JSON.stringify([edit.command, edit.environment, edit.ports, edit.mounts]) === same) {
      this.#made.set(view.id, edit);
      return { id: view.id, recreated: false, warnings: [] };
    }
    const id = randomBytes(32).toString('hex');
    this.#made.set(id, edit);
    const made: ContainerView = { ...view, id, labels: { ...view.labels, [label]: view.id } };
    this.#replace(view, [
      { ...view, name: `${view.name}.before-edit`, state: 'exited', status: 'Exited (0) 1 second ago' },
      made,
    ]);
    return { id, recreated: true, warnings: [] };
  }

  accept(view: ContainerView): void {
    this.#replace(this.#kept(view), []);
  }

  rollBack(view: ContainerView): { id: string } {
    const kept = this.#kept(view);
    this.#replace(kept, [{ ...kept, name: view.name, state: view.state, status: view.status }]);
    this.#replace(view, []);
    return { id: kept.id };
  }

  #kept(view: ContainerView): ContainerView {
    const kept = this.#containers.current.find(({ id }) => id === view.labels[label]);
    if (!kept) throw new AppError('not-found', `${view.name}: the container before it is gone`);
    return kept;
  }

  #replace(view: ContainerView, by: readonly ContainerView[]): void {
    this.#containers.set(this.#containers.current.flatMap((other) => (other.id === view.id ? by : [other])));
  }
}
