/** What the HTTP side reads from requests about registries, in the registry client's own words. */
export { parseRegistryAuth } from '../registry/auth.ts';
export { parsePlatform } from '../registry/platform.ts';
export { parseReference } from '../registry/reference.ts';
