/** The bodies of `POST /networks/create` and of connecting and disconnecting; `EndpointSettings` of other bodies. */
import { z } from 'zod';
import type { EndpointRequest } from '../state/container-record.ts';
import type { ConnectContainerRequest, CreateNetworkRequest } from '../use-cases/manage-networks.ts';
import { flag, labels, list, text } from './fields.ts';

export const endpointSettings = z.object({
  Aliases: list,
  Links: list,
  MacAddress: text,
  IPAMConfig: z.object({ IPv4Address: text, IPv6Address: text }).nullish(),
});

export function toEndpointRequest(settings: z.infer<typeof endpointSettings> | null | undefined): EndpointRequest {
  const address = settings?.IPAMConfig?.IPv4Address ?? '';
  const address6 = settings?.IPAMConfig?.IPv6Address ?? '';
  const mac = settings?.MacAddress ?? '';
  const links = settings?.Links ?? [];
  return {
    aliases: settings?.Aliases ?? [],
    ...(address === '' ? {} : { address }),
    ...(address6 === '' ? {} : { address6 }),
    ...(mac === '' ? {} : { mac }),
    ...(links.length === 0 ? {} : { links }),
  };
}

const ipamConfig = z.object({ Subnet: text, IPRange: text, Gateway: text, AuxiliaryAddresses: labels });

export const createNetworkBody = z
  .object({
    Name: text,
    Driver: text,
    Scope: text,
    Internal: flag,
    Attachable: flag,
    Ingress: flag,
    ConfigOnly: flag,
    ConfigFrom: z.object({ Network: text }).nullish(),
    EnableIPv4: z.boolean().nullish(),
    EnableIPv6: flag,
    IPAM: z.object({ Driver: text, Config: z.array(ipamConfig).nullish() }).nullish(),
    Options: labels,
    Labels: labels,
  })
  .transform((body): CreateNetworkRequest => ({
    name: body.Name,
    driver: body.Driver,
    scope: body.Scope,
    internal: body.Internal,
    attachable: body.Attachable,
    ingress: body.Ingress,
    usesConfig: body.ConfigOnly || (body.ConfigFrom?.Network ?? '') !== '',
    ipv4: body.EnableIPv4 ?? true,
    ipv6: body.EnableIPv6,
    ipamDriver: body.IPAM?.Driver ?? '',
    subnets: (body.IPAM?.Config ?? []).map((one) => ({
      subnet: one.Subnet,
      range: one.IPRange,
      gateway: one.Gateway,
      auxiliary: one.AuxiliaryAddresses,
    })),
    options: body.Options,
    labels: body.Labels,
  }));

export const connectBody = z
  .object({ Container: text, EndpointConfig: endpointSettings.nullish() })
  .transform((body): ConnectContainerRequest => ({
    container: body.Container,
    settings: toEndpointRequest(body.EndpointConfig),
  }));

export const disconnectBody = z
  .object({ Container: text, Force: flag })
  .transform((body) => ({ container: body.Container, force: body.Force }));
