/** Registries: logins, tried by the engine and kept once they are taken, and lists of what a registry has. */
import { z } from 'zod';
import { AppError } from '../contract/errors.ts';
import { defaultRegistry, parseServer, registryName, serverOf } from '../contract/registries.ts';
import type { EngineClient } from '../engine/client.ts';
import { authConfig, type AuthConfig, type RegistryLogins } from '../registries/logins.ts';
import type { CallHandler } from './handlers.ts';
import { parseReference } from './image-reference.ts';
import { registryError } from './registry-error.ts';

const loginAnswer = z.object({ Status: z.string() });
const found = z.array(
  z.object({
    name: z.string(),
    description: z.string().nullish(),
    star_count: z.number().catch(0),
    is_official: z.boolean().catch(false),
  }),
);
const names = z.object({ names: z.array(z.string()), more: z.boolean() });

export class RegistryHandlers {
  readonly #engine: EngineClient;
  readonly #logins: RegistryLogins;

  constructor(engine: EngineClient, logins: RegistryLogins) {
    this.#engine = engine;
    this.#logins = logins;
  }

  readonly login: CallHandler<'registries.login'> = async ({ server: given, username: typed, secret }, signal) => {
    const server = checkedServer(given, 'log in to');
    const username = typed.trim();
    await this.#try(`log in to ${registryName(server)}`, authConfig(server, username, secret), signal);
    // Left meanwhile: then it is not kept either.
    signal.throwIfAborted();
    await this.#logins.keep(server, username, secret);
    return { server };
  };

  readonly test: CallHandler<'registries.test'> = async ({ server }, signal) => {
    const attempt = `test the login to ${registryName(server)}`;
    const login = this.#logins.view.logins.find((known) => known.server === server);
    if (!login) throw new AppError('not-found', `${attempt}: there is none`);
    const auth = this.#logins.authFor(server);
    if (!auth) {
      throw new AppError(
        'unavailable',
        `${attempt}: the keychain that holds its password cannot be reached from here`,
        {
          hint: 'Log in again, or start Wherry as the desktop app.',
        },
      );
    }
    await this.#try(attempt, auth, signal);
  };

  readonly logout: CallHandler<'registries.logout'> = ({ server }) => this.#logins.remove(server);

  readonly tags: CallHandler<'registries.tags'> = ({ name: given }, signal) => {
    const { name } = parseReference(given, 'list the tags of');
    const headers = this.#logins.headersFor(name);
    const attempt = `list the tags of ${name}`;
    return asked(attempt, 'The repository may not exist, or its registry wants a login.', () =>
      this.#engine.json({ attempt, path: '/wherry/v1/registries/tags', query: { name }, headers, signal }, names),
    );
  };

  readonly repositories: CallHandler<'registries.repositories'> = ({ server: given }, signal) => {
    const server = checkedServer(given, 'list the repositories of');
    const headers = this.#logins.headersTo(server);
    const attempt = `list the repositories of ${registryName(server)}`;
    const path = '/wherry/v1/registries/repositories';
    return asked(attempt, 'The registry wants a login, or tells nobody what it has.', () =>
      this.#engine.json({ attempt, path, query: { server }, headers, signal }, names),
    );
  };

  readonly search: CallHandler<'registries.search'> = async ({ term: given }, signal) => {
    const term = given.trim();
    const server = serverOf(term) ?? defaultRegistry;
    const word = server === defaultRegistry ? term : term.slice(term.indexOf('/') + 1);
    const attempt = `search ${registryName(server)}`;
    if (word === '') throw new AppError('invalid-input', `${attempt}: there is no word to look for`);
    const request = { attempt, path: '/images/search', query: { term, limit: '50' }, signal };
    try {
      const images = await asked(attempt, 'The registry wants a login: add one under Registries.', () =>
        this.#engine.json({ ...request, headers: this.#logins.headersTo(server) }, found),
      );
      const prefix = server === defaultRegistry ? '' : `${server}/`;
      return images.map(({ name, description, star_count: stars, is_official: official }) => ({
        name: name.startsWith(prefix) ? name : `${prefix}${name}`,
        ...{ description: description ?? '', stars, official },
      }));
    } catch (error) {
      if (!(error instanceof AppError) || error.status !== 404) throw error;
      throw new AppError('not-found', `${attempt}: this registry has no search`, {
        hint: 'Browse what it has under Registries, or type the whole name of the image.',
        status: 404,
      });
    }
  };

  async #try(attempt: string, body: AuthConfig, signal: AbortSignal): Promise<void> {
    await asked(attempt, 'Check the user name and the password.', () =>
      this.#engine.json({ attempt, method: 'POST', path: '/auth', body, signal }, loginAnswer),
    );
  }
}

/** With what to do about a refusal. */
async function asked<T>(attempt: string, whenRefused: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof AppError) || error.status === undefined) throw error;
    const reason = error.message.replace(`${attempt}: `, '');
    if (error.status !== 401 && error.status !== 404) throw registryError(attempt, reason);
    const { code, status } = error;
    throw new AppError(code, `${attempt}: ${reason}`, { hint: whenRefused, status });
  }
}

function checkedServer(given: string, verb: string): string {
  const server = parseServer(given);
  if (server !== undefined) return server;
  throw new AppError('invalid-input', `${verb} ${given}: this is no name of a registry`, {
    hint: 'Names look like registry.example or localhost:5000.',
  });
}
