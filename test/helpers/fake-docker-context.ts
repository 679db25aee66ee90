/** The fake host's docker context: none at first. */
import { AppError } from '../../src-main/contract/errors.ts';
import type { DockerContextView } from '../../src-main/contract/docker-context.ts';
import type { Handlers } from '../../src-main/handlers/handlers.ts';
import type { Record } from './handlers.ts';

type Calls = Pick<Handlers['calls'], 'dockerContext.inspect' | 'dockerContext.add' | 'dockerContext.remove'>;

export class FakeDockerContext {
  view: DockerContextView = { state: 'absent', current: false, folder: '/home/sam/.docker' };
  readonly calls: Calls;

  constructor(record: Record) {
    this.calls = {
      'dockerContext.inspect': () => this.view,
      'dockerContext.add': (input) =>
        record('dockerContext.add', input, () => {
          if (this.view.state === 'other' && !input.replace) {
            throw new AppError('conflict', 'add the docker context wherry: it belongs to another engine');
          }
          this.view = { ...this.view, state: 'registered', host: 'unix:///home/sam/.wherry/docker.sock' };
          return this.view;
        }),
      'dockerContext.remove': () =>
        record('dockerContext.remove', {}, () => {
          const { current, folder } = this.view;
          this.view = { state: 'absent', current: false, folder };
          return { wasCurrent: current };
        }),
    };
  }
}
