import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

export interface Upstream {
  readonly address: string;
  readonly port: number;
}

const rereadMs = 5000;
const dnsPort = 53;

/** Addresses in the `nameserver` lines of a resolv.conf. */
function parseNameServers(text: string): string[] {
  return text
    .split('\n')
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? '')
    .filter((address) => isIP(address) !== 0);
}

/** The guest's own name servers; read again now and then, as DHCP may change them. */
export function resolvConfUpstreams(file: string): () => readonly Upstream[] {
  let current: readonly Upstream[] = [];
  let readAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (performance.now() - readAtMs < rereadMs) return current;
    readAtMs = performance.now();
    try {
      current = parseNameServers(readFileSync(file, 'utf8')).map((address) => ({ address, port: dnsPort }));
    } catch {
      // Being replaced, or not there yet: those known until now stay.
    }
    return current;
  };
}
