/** Registries as windows see them: where there is a login, and where its secret is kept. Secrets only ever go to the host. */

/** `keychain`: sealed by the system's keychain. `file`: in a file that only the user may read. */
export type SecretPlace = 'keychain' | 'file';

export interface RegistryLogin {
  /** As it stands before the first slash of an image's name; {@link defaultRegistry} for names without one. */
  readonly server: string;
  /** Empty: the secret is a token that is sent as it is. */
  readonly username: string;
  readonly place: SecretPlace;
  /** False: it is sealed by a keychain that the process running Wherry has no way to. Nothing is sent then. */
  readonly readable: boolean;
}

export interface RegistriesView {
  /** By server. */
  readonly logins: readonly RegistryLogin[];
  /** Where the secret of a login made now is kept. */
  readonly keeps: SecretPlace;
}

/** Tags of a repository, or repositories of a registry. */
export interface RegistryNames {
  /** In the registry's order. */
  readonly names: readonly string[];
  /** There are more than are told. */
  readonly more: boolean;
}

/** One of what a registry's search finds. All of it is the registry's word. */
export interface FoundImage {
  /** As it is pulled, without a tag. */
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  /** Made by the registry's own people, as they say. */
  readonly official: boolean;
}

/** What an image's name without a registry means: a name of the protocol. */
export const defaultRegistry = 'docker.io';

/** As a user knows it. */
export function registryName(server: string): string {
  return server === defaultRegistry ? 'Docker Hub' : server;
}

/**
 * The registry in what a user types or pastes: without scheme and path, in small letters; nothing means the default one.
 * Undefined when it is no name of a server.
 */
export function parseServer(text: string): string | undefined {
  const host = text
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/s, '');
  if (host === '' && text.trim() !== '') return undefined;
  if (host === '' || host === defaultRegistry || host.endsWith(`.${defaultRegistry}`)) return defaultRegistry;
  const name = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
  const pattern = new RegExp(`^(?:${name}(?:\\.${name})*|\\[[0-9a-f:]+\\])(?::[0-9]{1,5})?$`);
  return pattern.test(host) && host.length <= 255 ? host : undefined;
}

/** The registry that an image's name says: its part before the first slash, when that looks like a host. Undefined: a wrong one. */
export function serverOf(reference: string): string | undefined {
  const slash = reference.indexOf('/');
  const first = reference.slice(0, Math.max(slash, 0));
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  return isHost ? parseServer(first) : defaultRegistry;
}
