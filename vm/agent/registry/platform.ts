/** Platforms of images, written `os[/architecture[/variant]]`. */
import { EngineError } from '../../contract/errors.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

const aliases: Readonly<Record<string, Partial<Platform>>> = {
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  x64: { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
  i386: { architecture: '386' },
};

/** Newest first: a processor runs its own variant and older ones. */
const variants: Readonly<Record<string, readonly string[]>> = {
  arm: ['v8', 'v7', 'v6', 'v5'],
  arm64: ['v9', 'v8'],
  amd64: ['v4', 'v3', 'v2', 'v1'],
};
const defaultVariant: Readonly<Record<string, string>> = { arm: 'v7', arm64: 'v8', amd64: 'v1' };

/** `arm64`, `linux/arm64`, `linux/arm/v7`; a bare word is an architecture unless it names an operating system. */
export function parsePlatform(text: string, host: Platform): Platform {
  const parts = text.toLowerCase().split('/');
  const valid = parts.length <= 3 && parts.every((part) => /^[a-z0-9_.-]+$/.test(part));
  if (!valid) {
    throw new EngineError('invalid-parameter', `invalid platform: "${text}": must be os[/architecture[/variant]]`);
  }
  const [first = '', second, variant] = parts;
  if (second !== undefined) return normalise({ os: first, architecture: second, variant });
  return ['linux', 'windows', 'darwin', 'freebsd'].includes(first)
    ? { ...host, os: first }
    : normalise({ os: host.os, architecture: first });
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

/** The index of the candidate that suits best, or -1. Candidates without a platform suit none. */
export function selectPlatform(candidates: readonly (Platform | undefined)[], wanted: Platform): number {
  const ranks = candidates.map((candidate) => (candidate === undefined ? -1 : rank(candidate, wanted)));
  const best = Math.max(-1, ...ranks);
  return best < 0 ? -1 : ranks.indexOf(best);
}

/** Higher is better, negative does not run. */
function rank(candidate: Platform, wanted: Platform): number {
  const [have, want] = [normalise(candidate), normalise(wanted)];
  if (have.os !== want.os || have.architecture !== want.architecture) return -1;
  const order = variants[have.architecture] ?? [];
  const fallback = defaultVariant[have.architecture];
  const haveAt = order.indexOf(have.variant ?? fallback ?? '');
  const wantAt = order.indexOf(want.variant ?? fallback ?? '');
  if (haveAt < 0 || wantAt < 0) return have.variant === want.variant ? order.length : -1;
  return haveAt < wantAt ? -1 : order.length - (haveAt - wantAt);
}

function normalise(platform: Platform): Platform {
  return { ...platform, ...aliases[platform.architecture] };
}
