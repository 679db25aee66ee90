/** What a registry refused, with what to do about it. */
import { AppError } from '../contract/errors.ts';

export function registryError(attempt: string, reason: string): AppError {
  if (/manifest unknown|not found|name unknown|does not exist/i.test(reason)) {
    return new AppError('not-found', `${attempt}: ${reason}`, { hint: 'Check the spelling of the name and the tag.' });
  }
  if (/unauthorized|denied|authentication required/i.test(reason)) {
    const hint = 'The image may not exist, or its registry wants a login: add one under Registries.';
    return new AppError('engine', `${attempt}: ${reason}`, { hint });
  }
  if (/no such host|connection refused|timeout|timed out|unreachable|EAI_AGAIN|ENOTFOUND|ECONNREFUSED/i.test(reason)) {
    const hint = 'Check that the registry’s name is right and that this machine can reach it.';
    return new AppError('engine', `${attempt}: ${reason}`, { hint });
  }
  return new AppError('engine', `${attempt}: ${reason}`);
}
