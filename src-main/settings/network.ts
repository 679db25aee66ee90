/** The settings of how registries are reached and where networks take addresses: what is wrong with them, and the form in which they are kept. */
import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../contract/errors.ts';
import { parseServer } from '../contract/registries.ts';
import type { NetworkSettings } from '../contract/vm.ts';
import { poolsProblem, readPool, poolText } from './address-pools.ts';

const maxServers = 64;
/** Beside what the system trusts, in a seed entry of 1 MiB. */
const maxCertificateBytes = 40_000;

export const networkSchema = z.object({
  proxy: z.enum(['system', 'none', 'manual']),
  httpProxy: z.string(),
  httpsProxy: z.string(),
  noProxy: z.string(),
  insecureRegistries: z.array(z.string()),
  registryMirrors: z.array(z.string()),
  certificates: z.string(),
  addressPools: z.array(z.string()),
});

/** @throws AppError `invalid-input` naming the field and what is wrong. */
export function checkNetwork(given: NetworkSettings): NetworkSettings {
  const network: NetworkSettings = {
    proxy: given.proxy,
    httpProxy: checkProxy('network.httpProxy', given.httpProxy),
    httpsProxy: checkProxy('network.httpsProxy', given.httpsProxy),
    noProxy: given.noProxy.trim(),
    insecureRegistries: checkServers('network.insecureRegistries', given.insecureRegistries),
    registryMirrors: checkServers('network.registryMirrors', given.registryMirrors),
    certificates: checkCertificates(given.certificates),
    addressPools: checkPools(given.addressPools),
  };
  if (/[^\x20-\x7e]/.test(network.noProxy)) throw wrong('network.noProxy', 'names of hosts are in plain letters');
  if (network.proxy === 'manual' && network.httpProxy === '' && network.httpsProxy === '') {
    throw wrong('network.proxy', 'with manual an address is needed');
  }
  return network;
}

function checkProxy(field: string, given: string): string {
  const text = given.trim();
  if (text === '') return '';
  const address = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'http:' || url.hostname === '' || url.pathname !== '/' || url.search + url.hash !== '') {
    throw wrong(field, 'this is no address of a proxy', 'Proxies look like http://proxy.example:3128.');
  }
  if (url.username !== '' || url.password !== '') {
    const hint = 'Passwords are not kept in settings: name the proxy with its password in http_proxy and https_proxy.';
    throw wrong(field, 'the address holds a user or password', hint);
  }
  return url.origin;
}

/** In the form that names of images have, each once. */
function checkServers(field: string, given: readonly string[]): readonly string[] {
  const servers = given.map((text) => {
    const [, path = ''] = /^(?:https?:\/\/)?[^/]*(.*)$/s.exec(text.trim()) ?? [];
    const server = text.trim() === '' || !['', '/'].includes(path) ? undefined : parseServer(text);
    if (server !== undefined) return server;
    throw wrong(field, `'${text.slice(0, 200)}' is no name of a registry`, 'Names look like registry.example:5000.');
  });
  if (servers.length > maxServers) throw wrong(field, `more than ${maxServers} are too many`);
  return [...new Set(servers)];
}

function checkPools(given: readonly string[]): readonly string[] {
  const pools = given.map((text) => {
    const pool = readPool(text.trim());
    if (pool !== undefined) return pool;
    const hint = 'Pools look like 10.10.0.0/16:24, where networks of /24 are cut from 10.10.0.0/16.';
    throw wrong('network.addressPools', `'${text.slice(0, 200)}' is no pool of IPv4 addresses`, hint);
  });
  const problem = poolsProblem(pools);
  if (problem !== undefined) throw wrong('network.addressPools', problem);
  return pools.map(poolText);
}

function checkCertificates(given: string): string {
  const text = given.trim();
  if (text === '') return '';
  if (text.length > maxCertificateBytes) {
    throw wrong('network.certificates', `more than ${maxCertificateBytes} characters are too many`);
  }
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0 || /PRIVATE KEY/.test(text)) {
    throw wrong('network.certificates', 'certificates in PEM are needed, and nothing else');
  }
  for (const [index, pem] of found.entries()) {
    try {
      new X509Certificate(pem);
    } catch (cause) {
      throw new AppError(
        'invalid-input',
        `change settings: network.certificates: certificate ${index + 1} is damaged`,
        {
          cause,
        },
      );
    }
  }
  return `${found.join('\n')}\n`;
}

function wrong(field: string, reason: string, hint?: string): AppError {
  return new AppError('invalid-input', `change settings: ${field}: ${reason}`, hint === undefined ? {} : { hint });
}
