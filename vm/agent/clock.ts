/** Times as the Engine API writes them. */

/** Now, RFC 3339 with nanoseconds, as Docker stores times. */
export function rfc3339Now(): string {
  return rfc3339(Date.now(), Number(process.hrtime.bigint() % 1_000_000n));
}

/** `nanoseconds`: those below the millisecond. */
export function rfc3339(timeMs: number, nanoseconds = 0): string {
  const text = new Date(timeMs).toISOString();
  return `${text.slice(0, -1)}${String(nanoseconds).padStart(6, '0')}Z`;
}

/**
 * A time in a query: seconds since 1970 with up to nine decimals, RFC 3339, or a Go duration before now (`10m`, `1h30m`).
 * @returns Nanoseconds since 1970, or undefined when it is none of these.
 */
export function parseTime(text: string, nowMs = Date.now()): bigint | undefined {
  const unix = /^(-?\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (unix !== null) return BigInt(unix[1] ?? '0') * 1_000_000_000n + BigInt((unix[2] ?? '').padEnd(9, '0'));
  const duration = parseDuration(text);
  if (duration !== undefined) return BigInt(nowMs) * 1_000_000n - BigInt(Math.round(duration * 1e9));
  return parseRfc3339(text);
}

/** `2026-01-02T03:04:05.123456789Z` to nanoseconds since 1970. */
export function parseRfc3339(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?\d*(Z|[+-]\d\d:\d\d)?$/.exec(text);
  const timeMs = match === null ? Date.parse(text) : Date.parse(`${match[1] ?? ''}${match[3] ?? 'Z'}`);
  if (Number.isNaN(timeMs)) return undefined;
  return BigInt(timeMs) * 1_000_000n + BigInt((match?.[2] ?? '').padEnd(9, '0'));
}

const unitSeconds: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

/** Go's duration in seconds, or undefined. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    seconds += Number(amount) * (unitSeconds[unit ?? ''] ?? 0);
  }
  return seconds;
}
