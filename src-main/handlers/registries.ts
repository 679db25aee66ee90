/** Logins to registries: tried by the engine, kept once the registry has taken them. */
import { z } from 'zod';
import { AppError } from '../contract/errors.ts';
import { defaultRegistry, parseServer } from '../contract/registries.ts';
import type { EngineClient } from '../engine/client.ts';
import { authConfig, type AuthConfig, type RegistryLogins } from '../registries/logins.ts';
import type { CallHandler } from './handlers.ts';
import { registryError } from './registry-error.ts';

const loginAnswer = z.object({ Status: z.string() });

export class RegistryHandlers {
  readonly #engine: EngineClient;
  readonly #logins: RegistryLogins;

  constructor(engine: EngineClient, logins: RegistryLogins) {
    this.#engine = engine;
    this.#logins = logins;
  }

  readonly login: CallHandler<'registries.login'> = async ({ server: given, username: typed, secret }, signal) => {
    const server = parseServer(given);
    if (server === undefined) {
      throw new AppError('invalid-input', `log in to ${given}: this is no name of a registry`, {
        hint: 'Names look like registry.example or localhost:5000.',
      });
    }
    const username = typed.trim();
    await this.#try(`log in to ${nameOf(server)}`, authConfig(server, username, secret), signal);
    // Left meanwhile: then it is not kept either.
    signal.throwIfAborted();
    await this.#logins.keep(server, username, secret);
    return { server };
  };

  readonly test: CallHandler<'registries.test'> = async ({ server }, signal) => {
    const attempt = `test the login to ${nameOf(server)}`;
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

  async #try(attempt: string, body: AuthConfig, signal: AbortSignal): Promise<void> {
    try {
      await this.#engine.json({ attempt, method: 'POST', path: '/auth', body, signal }, loginAnswer);
    } catch (error) {
      if (!(error instanceof AppError) || error.status === undefined) throw error;
      const reason = error.message.replace(`${attempt}: `, '');
      if (error.status !== 401) throw registryError(attempt, reason);
      throw new AppError('engine', `${attempt}: ${reason}`, { hint: 'Check the user name and the password.' });
    }
  }
}

function nameOf(server: string): string {
  return server === defaultRegistry ? 'Docker Hub' : server;
}
