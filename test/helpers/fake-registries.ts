/** The fake host's registries: one password is right everywhere, and it takes a moment to find out. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../src-main/contract/errors.ts';
import {
  parseServer,
  type FoundImage,
  type RegistriesView,
  type RegistryLogin,
} from '../../src-main/contract/registries.ts';
import type { Handlers } from '../../src-main/handlers/handlers.ts';
import { type Record, Source } from './handlers.ts';

type Calls = Pick<
  Handlers['calls'],
  | 'registries.login'
  | 'registries.test'
  | 'registries.logout'
  | 'registries.tags'
  | 'registries.repositories'
  | 'registries.search'
>;

export class FakeRegistries {
  readonly view = new Source<RegistriesView>({
    keeps: 'file',
    logins: [
      { server: 'docker.io', username: 'sam', place: 'file', readable: true },
      { server: 'registry.example:5000', username: 'deploy', place: 'file', readable: true },
    ],
  });
  /** Of every registry. */
  rightSecret = 'oars-and-sails';
  /** By repository, in every registry. */
  readonly tags: { [repository: string]: readonly string[] } = {
    'team/app': ['1.0', '1.9', '1.10', 'latest', 'edge'],
    'team/worker': ['2'],
    nginx: ['latest', '1.29', '1.29-alpine', '1.28'],
  };
  /** What any search on Docker Hub finds; other registries have none. */
  found: readonly FoundImage[] = [
    { name: 'nginx', description: 'Official build of Nginx.', stars: 20_412, official: true },
    { name: 'bitnami/nginx', description: 'Bitnami container image for NGINX', stars: 201, official: false },
  ];
  /** Until a registry answers. */
  answersAfterMs = 50;
  /** Logins under way. */
  asking = 0;
  readonly calls: Calls;

  constructor(record: Record) {
    this.calls = {
      'registries.login': ({ server, username, secret }, signal) =>
        record('registries.login', { server, username }, async () => {
          const name = parseServer(server) ?? server;
          await this.#answer(signal);
          if (secret !== this.rightSecret) {
            throw new AppError('engine', `log in to ${name}: unauthorized: authentication required`, {
              hint: 'Check the user name and the password.',
              status: 401,
            });
          }
          const login: RegistryLogin = { server: name, username, place: this.view.current.keeps, readable: true };
          this.#set([...this.view.current.logins.filter((other) => other.server !== name), login]);
          return { server: name };
        }),
      'registries.test': ({ server }, signal) => record('registries.test', { server }, () => this.#answer(signal)),
      'registries.logout': ({ server }) =>
        record('registries.logout', { server }, () =>
          this.#set(this.view.current.logins.filter((other) => other.server !== server)),
        ),
      'registries.tags': ({ name }, signal) =>
        record('registries.tags', { name }, async () => {
          await this.#answer(signal);
          const repository = name.replace(/^[^/]*[.:][^/]*\//, '').replace(/:[^/]*$/, '');
          const tags = this.tags[repository];
          if (tags) return { names: tags, more: false };
          throw new AppError('not-found', `list the tags of ${name}: name unknown`, { status: 404 });
        }),
      'registries.search': ({ term }, signal) =>
        record('registries.search', { term }, async () => {
          await this.#answer(signal);
          if (!term.includes('.')) return this.found;
          throw new AppError('not-found', `search ${term.split('/')[0]}: this registry has no search`, {
            hint: 'Browse what it has under Registries, or type the whole name of the image.',
            status: 404,
          });
        }),
      'registries.repositories': ({ server }, signal) =>
        record('registries.repositories', { server }, async () => {
          await this.#answer(signal);
          if (server !== 'docker.io') return { names: Object.keys(this.tags), more: false };
          throw new AppError('engine', 'list the repositories of Docker Hub: unauthorized', {
            hint: 'The registry wants a login, or tells nobody what it has.',
            status: 401,
          });
        }),
    };
  }

  async #answer(signal: AbortSignal): Promise<void> {
    this.asking += 1;
    try {
      await sleep(this.answersAfterMs, undefined, { signal });
    } finally {
      this.asking -= 1;
    }
  }

  #set(logins: readonly RegistryLogin[]): void {
    this.view.set({ ...this.view.current, logins });
  }
}
