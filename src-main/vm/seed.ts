/** The seed disk: a plain ustar archive with all the guest must know before it can be talked to. */
import { buffer } from 'node:stream/consumers';
import tar from 'tar-stream';
import type { Seed } from '../../vm/contract/wherry-api.ts';
import type { NetworkSettings } from '../contract/vm.ts';
import { userNetwork } from './qemu/arguments.ts';

export interface SeedInput {
  readonly instanceId: string;
  readonly hostname: string;
  readonly clockMs: number;
  readonly network: 'static' | 'dhcp';
  readonly hostKey: string;
  readonly clientPublicLine: string;
  readonly proxy: ProxySettings | undefined;
  readonly insecureRegistries: readonly string[];
  readonly registryMirrors: readonly string[];
  /** Checked: see `NetworkSettings`. */
  readonly addressPools: readonly string[];
  /** The host's extra certificate authorities, PEM. */
  readonly certificates: string | undefined;
}

export interface ProxySettings {
  readonly http?: string;
  readonly https?: string;
  readonly no?: string;
}

/** The disk's content; a whole number of 512-byte sectors. */
export async function buildSeed(input: SeedInput): Promise<Buffer> {
  const seed = describeSeed(input);
  const pack = tar.pack();
  const add = (name: string, content: string): void => {
    pack.entry({ name, mode: 0o600, mtime: new Date(input.clockMs) }, content);
  };
  add('seed.json', `${JSON.stringify(seed, null, 2)}\n`);
  add('seed.env', seedEnvironment(seed));
  add('ssh_host_ed25519_key', input.hostKey);
  add('authorized_keys', `${input.clientPublicLine}\n`);
  if (input.certificates !== undefined) add('ca/host.pem', input.certificates);
  pack.finalize();
  return buffer(pack);
}

function describeSeed(input: SeedInput): Seed {
  return {
    version: 1,
    instanceId: input.instanceId,
    hostname: input.hostname,
    clockMs: input.clockMs,
    hostGateway: userNetwork.gateway,
    network:
      input.network === 'dhcp'
        ? { mode: 'dhcp' }
        : {
            mode: 'static',
            address: `${userNetwork.guest}/${userNetwork.prefixLength}`,
            gateway: userNetwork.gateway,
            dns: [userNetwork.dns],
          },
    insecureRegistries: input.insecureRegistries,
    registryMirrors: input.registryMirrors,
    addressPools: input.addressPools.map(seedPool),
    ...(input.proxy === undefined ? {} : { proxy: input.proxy }),
  };
}

function seedPool(text: string): { base: string; size: number } {
  const [base = '', size] = text.split(':');
  return { base, size: Number(size) };
}

/** What init reads: `KEY='value'` lines, quoted as a shell would. */
export function seedEnvironment(seed: Seed): string {
  const values: [string, string][] = [
    ['WHERRY_HOSTNAME', seed.hostname],
    ['WHERRY_CLOCK_MS', String(seed.clockMs)],
    ['WHERRY_NET_MODE', seed.network.mode],
  ];
  if (seed.network.mode === 'static') {
    values.push(['WHERRY_NET_ADDRESS', seed.network.address], ['WHERRY_NET_GATEWAY', seed.network.gateway]);
    values.push(['WHERRY_NET_DNS', seed.network.dns.join(' ')]);
  }
  return values.map(([key, value]) => `${key}='${value.replaceAll("'", "'\\''")}'\n`).join('');
}

/** The proxy that the settings mean, as the guest can use it. */
export function proxyOf(network: NetworkSettings, env: NodeJS.ProcessEnv): ProxySettings | undefined {
  if (network.proxy === 'none') return undefined;
  if (network.proxy === 'system') return proxyForGuest(env);
  return proxyForGuest({
    http_proxy: network.httpProxy,
    https_proxy: network.httpsProxy,
    no_proxy: network.noProxy,
  });
}

/** The host's proxy as the guest can use it: a proxy on the host's loopback is reached through the gateway. */
export function proxyForGuest(env: NodeJS.ProcessEnv): ProxySettings | undefined {
  const read = (name: string): string | undefined => env[name] ?? env[name.toUpperCase()];
  const http = reachable(read('http_proxy'));
  const https = reachable(read('https_proxy'));
  const no = read('no_proxy');
  if (http === undefined && https === undefined) return undefined;
  return {
    ...(http === undefined ? {} : { http }),
    ...(https === undefined ? {} : { https }),
    ...(no === undefined || no === '' ? {} : { no }),
  };
}

function reachable(proxy: string | undefined): string | undefined {
  if (proxy === undefined || proxy === '') return undefined;
  return proxy.replace(
    /^(\w+:\/\/(?:[^@/]*@)?)?(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?=[:/]|$)/i,
    `$1${userNetwork.gateway}`,
  );
}
