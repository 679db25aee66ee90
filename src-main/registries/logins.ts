/** Logins to registries: which there are, and what a request that needs one carries. */
import { defaultRegistry, serverOf, type RegistriesView } from '../contract/registries.ts';
import type { SecretStore } from '../secrets/secret-store.ts';
import type { Unsubscribe } from '../services.ts';

const prefix = 'registry ';

/** As the Engine API takes it in `POST /auth` and, encoded, in its headers. */
export interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  readonly registrytoken?: string;
  readonly serveraddress?: string;
}

export class RegistryLogins {
  readonly #secrets: SecretStore;

  constructor(secrets: SecretStore) {
    this.#secrets = secrets;
  }

  get view(): RegistriesView {
    const logins = this.#secrets
      .list()
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ name, label, place, readable }) => ({
        server: name.slice(prefix.length),
        username: label,
        place,
        readable,
      }));
    return { logins, keeps: this.#secrets.place };
  }

  /** Undefined: there is none for this server, or its secret cannot be read here. */
  authFor(server: string): AuthConfig | undefined {
    const login = this.view.logins.find((known) => known.server === server);
    const secret = login && this.#secrets.get(prefix + server);
    return login && secret !== undefined ? authConfig(server, login.username, secret) : undefined;
  }

  /** For a pull or push of this image; nothing when there is no login for its registry. */
  headersFor(reference: string): Readonly<Record<string, string>> {
    const server = serverOf(reference);
    return server === undefined ? {} : this.headersTo(server);
  }

  /** For a question to this registry. */
  headersTo(server: string): Readonly<Record<string, string>> {
    const auth = this.authFor(server);
    return auth === undefined ? {} : { 'X-Registry-Auth': encode(auth) };
  }

  /** For a build, whose Dockerfile may name any registry: all logins. */
  headersForBuild(): Readonly<Record<string, string>> {
    const all = this.view.logins.flatMap(({ server }) => {
      const auth = this.authFor(server);
      return auth === undefined ? [] : [[server, auth] as const];
    });
    return all.length === 0 ? {} : { 'X-Registry-Config': encode(Object.fromEntries(all)) };
  }

  async keep(server: string, username: string, secret: string): Promise<void> {
    await this.#secrets.put(prefix + server, username, secret);
  }

  async remove(server: string): Promise<void> {
    await this.#secrets.remove(prefix + server);
  }

  onChange(listener: (view: RegistriesView) => void): Unsubscribe {
    return this.#secrets.onChange(() => listener(this.view));
  }
}

/** Without a user name the secret is a token, sent as it is. */
export function authConfig(server: string, username: string, secret: string): AuthConfig {
  const serveraddress = server === defaultRegistry ? '' : server;
  return username === '' ? { registrytoken: secret, serveraddress } : { username, password: secret, serveraddress };
}

/** The base64url of JSON that the Engine API's headers carry. */
function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
