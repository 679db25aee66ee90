/** `GET /networks…`. */
import { EngineError } from '../../contract/errors.ts';
import { rfc3339 } from '../clock.ts';
import type { Filters } from '../filters.ts';
import type { NetworkRecord } from '../network/network.ts';
import { inet6SubnetOf, isPredefined } from '../network/networks.ts';
import type { Parts } from './parts.ts';

export const networkFilterNames = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'] as const;

export function listNetworks(parts: Pick<Parts, 'network'>, filters: Filters): object[] {
  checkValues(filters);
  const dangling = filters.get('dangling').map((text) => ['1', 'true'].includes(text));
  return parts.network
    .networks()
    .filter(
      (network) =>
        filters.matches('driver', network.driver) &&
        filters.matchesPrefix('id', network.id) &&
        filters.matchesPattern('name', [network.name]) &&
        filters.matchesLabels(network.labels) &&
        filters.matches('scope', 'local') &&
        filters.matches('type', isPredefined(network) ? 'builtin' : 'custom') &&
        dangling.every((wanted) => wanted === isDangling(parts, network)),
    )
    .map((network) => view(network, {}));
}

function checkValues(filters: Filters): void {
  const kind = filters.get('type').find((text) => !['builtin', 'custom'].includes(text));
  if (kind !== undefined) throw new EngineError('invalid-parameter', `invalid filter: 'type'='${kind}'`);
  if (filters.get('dangling').every((text) => ['1', '0', 'true', 'false'].includes(text))) return;
  throw new EngineError(
    'invalid-parameter',
    `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`,
  );
}

/** No container is in it, and it is not one that every engine has. */
function isDangling(parts: Pick<Parts, 'network'>, network: NetworkRecord): boolean {
  return !isPredefined(network) && parts.network.endpointsIn(network.id).length === 0;
}

export function inspectNetwork(parts: Pick<Parts, 'network'>, reference: string): object {
  const network = parts.network.network(reference);
  const containers = parts.network.endpointsIn(network.id).map((endpoint) => [
    endpoint.containerId,
    {
      Name: endpoint.containerName,
      EndpointID: endpoint.id,
      MacAddress: endpoint.mac,
      IPv4Address: endpoint.address === '' ? '' : `${endpoint.address}/${endpoint.prefixLength}`,
      IPv6Address: endpoint.inet6 === undefined ? '' : `${endpoint.inet6.address}/${endpoint.inet6.prefixLength}`,
    },
  ]);
  return view(network, Object.fromEntries(containers) as Record<string, object>);
}

function view(network: NetworkRecord, containers: Readonly<Record<string, object>>): object {
  return {
    Name: network.name,
    Id: network.id,
    Created: rfc3339(network.createdAtMs),
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: network.subnets.length > 0,
    EnableIPv6: inet6SubnetOf(network) !== undefined,
    IPAM: {
      Driver: 'default',
      Options: isPredefined(network) ? null : {},
      Config: network.subnets.map(({ subnet, gateway, range, auxiliary }) => ({
        Subnet: subnet,
        ...(range === undefined ? {} : { IPRange: range }),
        Gateway: gateway,
        ...(auxiliary === undefined ? {} : { AuxiliaryAddresses: auxiliary }),
      })),
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: containers,
    Options: network.options,
    Labels: network.labels,
  };
}
