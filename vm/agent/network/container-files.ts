/** Contents of a container's `/etc/resolv.conf`, `/etc/hosts` and `/etc/hostname`. Pure. */
import { isIP } from 'node:net';
import { EngineError } from '../../contract/errors.ts';

export interface ResolvConfRequest {
  /** `HostConfig.Dns`; empty: the name servers below. */
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  /** `NetworkService.nameServers(mode)`. */
  readonly nameServers: readonly string[];
}

export interface HostsRequest {
  readonly hostname: string;
  readonly domainname: string;
  /** The container's own address; empty without one (`none`, `host`). */
  readonly address: string;
  /** `HostConfig.ExtraHosts`: `name:ip`, `name=ip`, ip may be `host-gateway`. */
  readonly extraHosts: readonly string[];
  /** What `host-gateway` stands for: `seed.hostGateway`. */
  readonly hostGateway: string;
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
  ];
  if (request.address !== '' && request.hostname !== '') {
    const full = request.domainname === '' ? '' : `${word(request.hostname)}.${word(request.domainname)} `;
    lines.push(`${request.address}\t${full}${word(request.hostname)}`);
  }
  return `${lines.join('\n')}\n`;
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
