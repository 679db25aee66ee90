/** The Engine API's volumes and networks, and their translation into view types. Who uses one is read off the containers. */
import { z } from 'zod';
import type { NetworkMember, NetworkView } from '../contract/networks.ts';
import type { VolumeUser, VolumeView } from '../contract/volumes.ts';
import { containerName, labels, text, timeMs, type ContainerSummary } from './api.ts';

const volume = z.object({
  Name: z.string(),
  Driver: text,
  Mountpoint: text,
  CreatedAt: text,
  Labels: labels,
});
export type Volume = z.infer<typeof volume>;

export const volumeList = z.object({
  Volumes: z
    .array(volume)
    .nullish()
    .transform((value) => value ?? []),
});

export const volumeCreated = z.object({ Name: z.string() });

const network = z.object({
  Id: z.string(),
  Name: z.string(),
  Driver: text,
  Created: text,
  Internal: z.boolean().default(false),
  EnableIPv6: z.boolean().default(false),
  IPAM: z
    .object({ Config: z.array(z.object({ Subnet: text, Gateway: text })).nullish() })
    .nullish()
    .transform((value) => value?.Config ?? []),
  Labels: labels,
  Options: labels,
});
export type Network = z.infer<typeof network>;

export const networkList = z.array(network);

export const networkCreated = z.object({ Id: z.string() });

/** Docker marks those it named itself; a name of 64 hex digits is the older sign. */
function isAnonymous(name: string, own: Readonly<Record<string, string>>): boolean {
  return 'com.docker.volume.anonymous' in own || /^[0-9a-f]{64}$/.test(name);
}

export function toVolumeView(from: Volume, containers: readonly ContainerSummary[]): VolumeView {
  return {
    name: from.Name,
    driver: from.Driver,
    mountpoint: from.Mountpoint,
    createdAtMs: timeMs(from.CreatedAt),
    labels: from.Labels,
    anonymous: isAnonymous(from.Name, from.Labels),
    usedBy: containers.flatMap((container) => usesOf(container, from.Name)),
  };
}

function usesOf(container: ContainerSummary, name: string): VolumeUser[] {
  return container.Mounts.filter((mount) => mount.Type === 'volume' && mount.Name === name).map((mount) => ({
    id: container.Id,
    name: containerName(container),
    state: container.State,
    path: mount.Destination,
    readOnly: !mount.RW,
  }));
}

const builtIn = ['bridge', 'host', 'none'];

export function toNetworkView(from: Network, containers: readonly ContainerSummary[]): NetworkView {
  return {
    id: from.Id,
    name: from.Name,
    driver: from.Driver,
    internal: from.Internal,
    ipv6: from.EnableIPv6,
    builtIn: builtIn.includes(from.Name),
    createdAtMs: timeMs(from.Created),
    subnets: from.IPAM.map(({ Subnet, Gateway }) => ({ subnet: Subnet, gateway: Gateway })),
    labels: from.Labels,
    options: from.Options,
    members: containers.flatMap((container) => membershipOf(container, from)),
  };
}

/** A stopped container names the network it will join, without its id. */
function membershipOf(container: ContainerSummary, from: Network): NetworkMember[] {
  return Object.entries(container.NetworkSettings).flatMap(([name, endpoint]) => {
    const named = name === from.Name || (name === 'default' && from.Name === 'bridge');
    if (endpoint?.NetworkID ? endpoint.NetworkID !== from.Id : !named) return [];
    return [
      {
        id: container.Id,
        name: containerName(container),
        state: container.State,
        ipAddress: endpoint?.IPAddress ?? '',
        ip6Address: endpoint?.GlobalIPv6Address ?? '',
        macAddress: endpoint?.MacAddress ?? '',
        aliases: endpoint?.Aliases ?? [],
      },
    ];
  });
}
