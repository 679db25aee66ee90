/** Contents of a container's `/etc/resolv.conf`, `/etc/hosts` and `/etc/hostname`. Pure. */
import { isIP } from 'node:net';
import { EngineError } from '../../contract/errors.ts';

export interface ResolvConfRequest {
  /** `HostConfig.Dns`; empty: the name servers below. */
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  /** `NetworkService.nameServers`. */
  readonly nameServers: readonly string[];
}

export interface HostsRequest {
  readonly hostname: string;
  readonly domainname: string;
  /** The container's own; none in the modes `none` and `host`. */
  readonly addresses: readonly string[];
  /** `HostConfig.ExtraHosts`: `name:ip`, `name=ip`, ip may be `host-gateway`. */
  readonly extraHosts: readonly string[];
  /** What `host-gateway` stands for: `seed.hostGateway`. */
  readonly hostGateway: string;
  /** Containers linked to (`--link`). */
  readonly links: readonly { readonly address: string; readonly names: readonly string[] }[];
}

/** A single `.` as search domain means: none. Throws `invalid-parameter` for what is not an address. */
export function resolvConf(request: ResolvConfRequest): string {
  const servers = request.dns.length > 0 ? request.dns : request.nameServers;
  for (const server of servers) {
    if (isIP(server) === 0) throw new EngineError('invalid-parameter', `bad nameserver address: ${oneLine(server)}`);
  }
  const search = request.dnsSearch.filter((domain) => domain !== '' && domain !== '.').map(word);
  const options = request.dnsOptions.filter((option) => option !== '').map(word);
  return [
    ...servers.map((server) => `nameserver ${server}\n`),
    search.length > 0 ? `search ${search.join(' ')}\n` : '',
    options.length > 0 ? `options ${options.join(' ')}\n` : '',
  ].join('');
}

/** Throws `invalid-parameter` for a malformed extra host. */
export function hostsFile(request: HostsRequest): string {
  const lines = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::\tip6-localnet',
    'ff00::\tip6-mcastprefix',
    'ff02::1\tip6-allnodes',
    'ff02::2\tip6-allrouters',
    ...request.extraHosts.map((entry) => extraHost(entry, request.hostGateway)),
    ...request.links.map(({ address, names }) => `${address}\t${names.map(word).join(' ')}`),
  ];
  if (request.hostname !== '') {
    lines.push(...request.addresses.map((address) => hostsLine(address, request.hostname, request.domainname)));
  }
  return `${lines.join('\n')}\n`;
}

/** What `/etc/hosts` says of one of the container's own addresses. */
export function hostsLine(address: string, hostname: string, domainname: string): string {
  const full = domainname === '' ? '' : `${word(hostname)}.${word(domainname)} `;
  return `${address}\t${full}${word(hostname)}`;
}

export function hostnameFile(hostname: string): string {
  return `${word(hostname)}\n`;
}

function extraHost(entry: string, hostGateway: string): string {
  // An IPv6 address holds colons itself: the first separator ends the name.
  const match = /^([^\s:=]+)[:=](\S+)$/.exec(entry);
  const name = match?.[1];
  const value = match?.[2];
  if (name === undefined || value === undefined) {
    throw new EngineError('invalid-parameter', `bad format for add-host: "${oneLine(entry)}"`);
  }
  const bare = value.startsWith('[') && value.endsWith(']') ? value.slice(1, -1) : value;
  const address = bare === 'host-gateway' ? hostGateway : bare;
  if (isIP(address) === 0) {
    throw new EngineError('invalid-parameter', `invalid IP address in add-host: "${oneLine(value)}"`);
  }
  return `${address}\t${word(name)}`;
}

/** Nothing from a request may start a line of its own. */
function word(text: string): string {
  if (/[\s#;]/.test(text) || text === '') {
    throw new EngineError('invalid-parameter', `not a single word: "${oneLine(text)}"`);
  }
  return text;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 200);
}
