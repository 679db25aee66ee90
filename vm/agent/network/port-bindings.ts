/** From the API's port maps to `PublishSpec`s. */
import { isIP } from 'node:net';
import { EngineError } from '../../contract/errors.ts';
import type { PortProtocol, PublishSpec } from './network.ts';

/** `HostConfig.PortBindings`. */
type PortBindings = Readonly<
  Record<string, readonly { readonly HostIp?: string; readonly HostPort?: string }[] | null>
>;

export interface PublishRequest {
  readonly portBindings: PortBindings;
  /** Keys of `Config.ExposedPorts`. */
  readonly exposed: readonly string[];
  /** `-P`: every exposed port without a binding of its own gets a free host port. */
  readonly publishAll: boolean;
}

/** Throws `invalid-parameter`, worded as Docker's. In the order of the map, so that the first failure is predictable. */
export function parsePortBindings(request: PublishRequest): PublishSpec[] {
  const specs: PublishSpec[] = [];
  for (const [key, bindings] of Object.entries(request.portBindings)) {
    for (const binding of bindings ?? []) {
      specs.push({
        ...parsePort(key),
        hostIp: hostIp(binding.HostIp ?? ''),
        hostPorts: hostPorts(binding.HostPort ?? ''),
      });
    }
  }
  if (request.publishAll) {
    for (const key of request.exposed) {
      const port = parsePort(key);
      const bound = specs.some((spec) => spec.protocol === port.protocol && spec.containerPort === port.containerPort);
      if (!bound) specs.push({ ...port, hostIp: '', hostPorts: undefined });
    }
  }
  return specs;
}

/** `80/tcp`, `53/udp`, `80`. */
function parsePort(key: string): { protocol: PortProtocol; containerPort: number } {
  const [number = '', protocol = 'tcp', ...rest] = key.split('/');
  const containerPort = portNumber(number);
  if (containerPort === undefined || containerPort === 0 || rest.length > 0) {
    throw new EngineError('invalid-parameter', `invalid port specification: "${key}"`);
  }
  if (protocol !== 'tcp' && protocol !== 'udp') {
    throw new EngineError(
      'invalid-parameter',
      `invalid port specification: "${key}": only tcp and udp can be published`,
    );
  }
  return { protocol, containerPort };
}

function hostIp(text: string): string {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (bare !== '' && isIP(bare) === 0) throw new EngineError('invalid-parameter', `invalid IP address: ${text}`);
  return bare;
}

function hostPorts(text: string): PublishSpec['hostPorts'] {
  if (text === '') return undefined;
  const [from = '', to, ...rest] = text.split('-');
  const first = portNumber(from);
  const last = to === undefined ? first : portNumber(to);
  if (first === undefined || last === undefined || last < first || rest.length > 0) {
    throw new EngineError('invalid-parameter', `invalid port specification: "${text}"`);
  }
  return last === 0 ? undefined : { first: Math.max(first, 1), last };
}

function portNumber(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65535 ? port : undefined;
}
