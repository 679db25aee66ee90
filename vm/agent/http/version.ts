/** The version prefix of Engine API paths. */
import { EngineError } from '../../contract/errors.ts';

export const apiVersion = '1.47';
export const minimumApiVersion = '1.24';

/** Splits `/v1.41/info` into version and path; a path without prefix has the newest version. */
export function splitVersion(path: string): { readonly version: string; readonly path: string } {
  const match = /^\/v(\d+)\.(\d+)(\/.*)$/.exec(path);
  if (match === null) return { version: apiVersion, path };
  const version = `${match[1] ?? ''}.${match[2] ?? ''}`;
  if (compareVersions(version, minimumApiVersion) < 0) {
    throw new EngineError(
      'invalid-parameter',
      `client version ${version} is too old. Minimum supported API version is ${minimumApiVersion}, please upgrade your client to a newer version`,
    );
  }
  if (compareVersions(version, apiVersion) > 0) {
    throw new EngineError(
      'invalid-parameter',
      `client version ${version} is too new. Maximum supported API version is ${apiVersion}`,
    );
  }
  return { version, path: match[3] ?? '/' };
}

/** Negative, zero or positive, as `a` is older, the same or newer. */
export function compareVersions(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number);
  return aMajor - bMajor || aMinor - bMinor;
}
