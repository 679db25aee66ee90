/** Which machines a registry client may talk to, how it reaches them, and what it trusts. */

export interface RegistryNetwork {
  /** Address that stands for the user's loopback; undefined outside a VM: loopback is then this machine's own. */
  readonly hostGateway?: string | undefined;
  /** `host` or `host:port`: plain HTTP and unverified certificates are allowed there. */
  readonly insecure: readonly string[];
  /** Asked before the default registry, in this order: `host` or `host:port`. */
  readonly mirrors?: readonly string[];
  /** Certificates (PEM) trusted besides the built-in ones. */
  readonly extraCa: readonly string[];
  readonly proxy?: { readonly http?: string; readonly https?: string; readonly no?: string } | undefined;
}

/** `localhost`, `127.x.x.x`, `[::1]`: the user's own machine. */
function isLoopback(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}

/** Whether plain HTTP, or a certificate nobody signed, will do. */
export function isInsecureAllowed(url: URL, network: RegistryNetwork): boolean {
  return isLoopback(url.hostname) || network.insecure.includes(url.host) || network.insecure.includes(url.hostname);
}

/** Where to connect: the user's loopback is reached through the gateway. */
export function dialAddress(hostname: string, network: RegistryNetwork): string {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return isLoopback(hostname) && network.hostGateway !== undefined ? network.hostGateway : bare;
}

/**
 * A registry names other addresses (redirects, token servers). One that is elsewhere must not steer the client to the
 * user's own machine, and nothing may fall back to plain HTTP where that was not allowed.
 * Returns why not, or undefined.
 */
export function refuseHop(from: URL, to: URL, network: RegistryNetwork): string | undefined {
  if (to.protocol !== 'https:' && to.protocol !== 'http:') return `${to.protocol} is not a protocol of registries`;
  if (leadsHome(from, to)) return `it points to this machine (${to.host})`;
  if (to.protocol === 'http:' && !isInsecureAllowed(to, network)) return `it is not encrypted (${to.origin})`;
  return undefined;
}

/** From elsewhere to the user's own machine. */
export function leadsHome(from: URL, to: URL): boolean {
  return isLoopback(to.hostname) && !isLoopback(from.hostname);
}

/** The proxy for this address, if any. Loopback never goes through one. */
export function proxyFor(url: URL, network: RegistryNetwork): URL | undefined {
  const proxy = url.protocol === 'https:' ? network.proxy?.https : network.proxy?.http;
  if (proxy === undefined || proxy === '' || isLoopback(url.hostname)) return undefined;
  const exempt = (network.proxy?.no ?? '').split(',').map((entry) => entry.trim().toLowerCase());
  const host = url.hostname.toLowerCase();
  const matches = (entry: string): boolean => {
    const bare = entry.replace(/^\*?\./, '');
    return bare !== '' && (entry === '*' || host === bare || host.endsWith(`.${bare}`) || url.host === entry);
  };
  if (exempt.some(matches)) return undefined;
  return new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
}
