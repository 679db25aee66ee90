/** Image references as Docker normalises them (the grammar of distribution/reference). */
import { EngineError } from '../../contract/errors.ts';

export interface ImageReference {
  /** `docker.io`, `localhost:5000`… */
  readonly domain: string;
  /** `library/busybox`. */
  readonly path: string;
  /** Undefined when none was given (Docker then means `latest`, unless there is a digest). */
  readonly tag: string | undefined;
  /** `sha256:…` */
  readonly digest: string | undefined;
}

/** A repository and what in it: a tag, or a digest. */
export type RepositoryName = Pick<ImageReference, 'domain' | 'path'>;

/** Names of the protocol: references without a host mean this registry, whose API is served elsewhere. */
const defaultDomain = 'docker.io';
const legacyDefaultDomain = 'index.docker.io';
const defaultDomainApi = 'registry-1.docker.io';
const officialPrefix = 'library/';

const domainComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domainPattern = new RegExp(
  `^(?:${domainComponent}(?:\\.${domainComponent})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]{1,5})?$`,
);
const pathPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[a-f0-9]{64}$/;
const maxNameLength = 255;

/** Throws `invalid-parameter` with Docker's words. */
export function parseReference(text: string): ImageReference {
  const { name, tag, digest } = splitReference(text);
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw new EngineError(
      'invalid-parameter',
      `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
    );
  }
  const { domain, path } = splitDomain(name);
  if (!pathPattern.test(path) && pathPattern.test(path.toLowerCase())) {
    throw new EngineError('invalid-parameter', `invalid reference format: repository name (${path}) must be lowercase`);
  }
  const ok =
    domainPattern.test(domain) &&
    pathPattern.test(path) &&
    (tag === undefined || tagPattern.test(tag)) &&
    (digest === undefined || digestPattern.test(digest));
  if (!ok) throw new EngineError('invalid-parameter', 'invalid reference format');
  if (path.length > maxNameLength) {
    throw new EngineError(
      'invalid-parameter',
      `invalid reference format: repository name must not be more than ${maxNameLength} characters`,
    );
  }
  return { domain, path, tag, digest };
}

/** With the tag `latest` where neither tag nor digest was given. */
export function withDefaultTag(reference: ImageReference): ImageReference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;
}

/** `docker.io/library/busybox` → `busybox`: how people write it. */
export function familiarName({ domain, path }: RepositoryName): string {
  if (domain !== defaultDomain) return `${domain}/${path}`;
  const short = path.startsWith(officialPrefix) ? path.slice(officialPrefix.length) : path;
  return short.includes('/') && path.startsWith(officialPrefix) ? path : short;
}

/** `busybox:1.36`, `busybox@sha256:…`. */
export function familiarString(reference: ImageReference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${familiarName(reference)}${tag}${digest}`;
}

/** Whether the registry is the one that names without a host mean. */
export function isDefaultRegistry({ domain }: RepositoryName): boolean {
  return domain === defaultDomain;
}

/** Host and port that serve the registry's API. */
export function registryHost({ domain }: RepositoryName): string {
  return domain === defaultDomain ? defaultDomainApi : domain;
}

/** Host that searches a registry's repositories. */
export function searchHost({ domain }: RepositoryName): string {
  return domain === defaultDomain ? legacyDefaultDomain : domain;
}

/** Of a repository, as it stands in the protocol's addresses. */
export function isPath(text: string): boolean {
  return pathPattern.test(text) && text.length <= maxNameLength;
}

export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

/** First twelve digits, as Docker shows ids. */
export function shortId(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}

function splitReference(text: string): { name: string; tag: string | undefined; digest: string | undefined } {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const rest = at < 0 ? text : text.slice(0, at);
  const colon = rest.lastIndexOf(':');
  const hasTag = colon > rest.lastIndexOf('/') && !rest.endsWith(']');
  return { name: hasTag ? rest.slice(0, colon) : rest, tag: hasTag ? rest.slice(colon + 1) : undefined, digest };
}

/** The part before the first slash is a host when it looks like one: has a dot, a colon or a capital, or is `localhost`. */
function splitDomain(name: string): RepositoryName {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = slash > 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const domain = isHost ? (first === legacyDefaultDomain ? defaultDomain : first) : defaultDomain;
  const rest = isHost ? name.slice(slash + 1) : name;
  return { domain, path: domain === defaultDomain && !rest.includes('/') ? `${officialPrefix}${rest}` : rest };
}
