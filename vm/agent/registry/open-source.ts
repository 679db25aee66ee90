/** Where a repository is pulled from. */
import { errorText, log } from '../log.ts';
import type { Credentials } from './auth.ts';
import { RegistryClient } from './client.ts';
import { MirroredSource } from './mirrors.ts';
import { isDefaultRegistry } from './reference.ts';
import type { RepositoryName } from './reference.ts';
import type { ContentSource } from './source.ts';
import type { Transport } from './transport.ts';

/** The default registry's mirrors before it; any other registry by itself. Mirrors get no credentials and one try. */
export function openSource(
  transport: Transport,
  repository: RepositoryName,
  credentials: Credentials | undefined,
  options: { firstRetryMs?: number } = {},
): ContentSource {
  const registry = new RegistryClient(transport, repository, credentials, options);
  const mirrors = isDefaultRegistry(repository) ? (transport.network.mirrors ?? []) : [];
  if (mirrors.length === 0) return registry;
  return new MirroredSource(
    mirrors.map((domain) => {
      return new RegistryClient(transport, { ...repository, domain }, undefined, { ...options, maxAttempts: 1 });
    }),
    registry,
    (reason) => log.info(`${repository.path}: a mirror is passed over: ${errorText(reason)}`),
  );
}
