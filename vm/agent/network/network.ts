/**
 * What the rest of the agent may ask of the container networks.
 *
 * Lifecycle: `start` (bridge, firewall, DNS; ports of the records found in the store are already forwarded) → `restore` once
 * with what really runs → `attach` for each container between the runtime's `create` and `go` → `detach` when it has ended.
 * Everything made for a container is recorded before it is made, so an agent killed at any point cleans up at `restore`.
 */
import type { Duplex } from 'node:stream';
import type { StageHealth } from '../../contract/wherry-api.ts';

/** `HostConfig.NetworkMode`, parsed by `parseNetworkMode`. */
export type NetworkMode =
  /** `default`, `bridge` and user-defined networks by name or id. */
  | { readonly kind: 'network'; readonly name: string }
  | { readonly kind: 'host' }
  | { readonly kind: 'none' }
  /** Shares the namespace of another container: the caller puts its path in the OCI configuration; not to be attached. */
  | { readonly kind: 'container'; readonly container: string };

export type PortProtocol = 'tcp' | 'udp';

/** One port to publish, as asked for; made from the API's `PortBindings` by `parsePortBindings`. */
export interface PublishSpec {
  readonly protocol: PortProtocol;
  readonly containerPort: number;
  /** Empty: the default, `127.0.0.1`. */
  readonly hostIp: string;
  /** Inclusive; the first free one is taken. `undefined`: any free port from 32768 up. */
  readonly hostPorts: { readonly first: number; readonly last: number } | undefined;
}

/** One published port, as it is. */
export interface PublishedPort {
  readonly protocol: PortProtocol;
  readonly containerPort: number;
  readonly hostIp: string;
  readonly hostPort: number;
  /** `pending`: no host is attached yet, it will be bound when one is. `failed`: the host could not bind it later on. */
  readonly state: 'bound' | 'pending' | 'failed';
  /** Why it failed, for the user; empty otherwise. */
  readonly detail: string;
}

/** A container's place in one network. Addresses are empty in the modes `host` and `none`. */
export interface Endpoint {
  /** 64 hex digits. */
  readonly id: string;
  readonly containerId: string;
  readonly containerName: string;
  readonly networkId: string;
  readonly networkName: string;
  /** Dotted IPv4. */
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string;
  /** Missing in a network without IPv6. */
  readonly inet6?: Inet6Place;
  /** `02:42:ac:11:00:02`; empty with ipvlan, whose links have that of what they share. */
  readonly mac: string;
  readonly aliases: readonly string[];
  /** `eth0`; empty without a link. */
  readonly interfaceName: string;
}

/** A container's IPv6 address in one network. */
export interface Inet6Place {
  /** In canonical form. */
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string;
}

/** What a container asks of its place in one network; on the pre-defined ones nothing but a MAC can be asked. */
export interface EndpointSettings {
  readonly address?: string;
  /** Of IPv6. */
  readonly address6?: string;
  readonly mac?: string;
  /** Further names by which the others in the network find it. */
  readonly aliases: readonly string[];
  /** `container:alias`: names that only this container knows others by. */
  readonly links?: readonly string[];
}

/** The addresses of a network, all of one family. */
export interface Subnet {
  /** `172.18.0.0/16`, `fd00::/64` */
  readonly subnet: string;
  readonly gateway: string;
  /** Only addresses of this part are given away unasked. */
  readonly range?: string;
  /** Names to addresses never given away. */
  readonly auxiliary?: Readonly<Record<string, string>>;
}

/** Of networks that users make. */
export type NetworkDriver = 'bridge' | 'macvlan' | 'ipvlan';

/** What `GET /networks` tells of a network. */
export interface NetworkRecord {
  /** 64 hex digits, the same after a restart. */
  readonly id: string;
  readonly name: string;
  readonly driver: NetworkDriver | 'host' | 'null';
  readonly createdAtMs: number;
  /** Nothing gets in or out. */
  readonly internal: boolean;
  readonly attachable: boolean;
  /** One of IPv4, then one of IPv6 if it has that; none for `host` and `null`. */
  readonly subnets: readonly Subnet[];
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** `POST /networks/create` */
export interface NetworkRequest {
  readonly name: string;
  readonly driver: NetworkDriver;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly ipam: IpamRequest;
  /** Undefined: without IPv6. */
  readonly ipam6?: IpamRequest;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** Addresses asked for, of one family; what is left open is chosen from the default pools. */
export interface IpamRequest {
  readonly subnet?: string;
  readonly gateway?: string;
  readonly range?: string;
  readonly auxiliary?: Readonly<Record<string, string>>;
}

export interface AttachRequest {
  readonly containerId: string;
  /** Without the leading slash. */
  readonly containerName: string;
  /** A process in the container's network namespace, alive until `attach` returns. */
  readonly pid: number;
  readonly mode: NetworkMode;
  /** The container's IPv6 is switched off in its kernel settings: it gets no IPv6 address anywhere. */
  readonly isInet6Off?: boolean;
  /** Of the mode `network`: all networks to be in, by name or id. The first one with a way out is the default route. */
  readonly networks: readonly { readonly network: string; readonly settings: EndpointSettings }[];
  readonly publish: readonly PublishSpec[];
}

/** A running container, to be in one more network. */
export interface ConnectRequest {
  readonly containerId: string;
  readonly containerName: string;
  /** A process in the container's network namespace. */
  readonly pid: number;
  readonly network: string;
  readonly isInet6Off?: boolean;
  readonly settings: EndpointSettings;
}

/** A container found running at the agent's start. */
export interface RunningContainerRef {
  readonly containerId: string;
  readonly containerName: string;
  readonly pid: number;
}

export type NetworkChange =
  /** State, or number, of a container's published ports changed outside of `attach`. */
  { readonly kind: 'ports'; readonly containerId: string; readonly ports: readonly PublishedPort[] };

export interface NetworkService {
  /** Makes bridge, firewall and DNS what they should be, whatever was there. Rejects with what failed. */
  start(): Promise<void>;
  /** Takes over the records of running containers; removes what was left of those that no longer run. Once, after `start`. */
  restore(running: readonly RunningContainerRef[]): Promise<void>;
  /**
   * Connects a container and publishes its ports; all or nothing. Rejects with `EngineError`: `forbidden`/`not-found`/`conflict`
   * or, worded as Docker's, `system` when a port cannot be bound.
   */
  attach(request: AttachRequest): Promise<readonly Endpoint[]>;
  /** Connects a container that runs. Rejects with `forbidden` when it is in that network already. */
  connect(request: ConnectRequest): Promise<Endpoint>;
  /** Takes a running container out of one network; ports published by that way move to another of its networks, if there is one. */
  disconnect(request: Pick<ConnectRequest, 'containerId' | 'pid' | 'network'>): Promise<void>;
  /** Makes a network that lives until it is removed. Rejects with `conflict`, `forbidden` (overlap) or `invalid-parameter`. */
  create(request: NetworkRequest): Promise<NetworkRecord>;
  /** By name or id. Rejects with `forbidden` for a pre-defined network and one with endpoints. */
  remove(nameOrId: string): Promise<NetworkRecord>;
  /**
   * Takes away all endpoints and ports. Succeeds when there are none, and when the namespace is long gone. Resolves when ports
   * no longer reach the container; its links go, and its address becomes free, some 20 ms later.
   */
  detach(containerId: string): Promise<void>;
  /** A container got another name: names in DNS and in `endpoints` follow. */
  rename(containerId: string, containerName: string): void;
  endpointsOf(containerId: string): readonly Endpoint[];
  portsOf(containerId: string): readonly PublishedPort[];
  /** By name, id or unique id prefix; `network x not found`. */
  network(nameOrId: string): NetworkRecord;
  networks(): readonly NetworkRecord[];
  /** Endpoints in one network. */
  endpointsIn(networkId: string): readonly Endpoint[];
  /** Name servers for a container, attached, in this mode; for `resolvConf`. */
  nameServers(mode: NetworkMode, containerId: string): readonly string[];
  /** The host's end of `POST /wherry/v1/ports`, after the 101. A newer one replaces an older. The stream is then owned here. */
  serveHost(stream: Duplex): void;
  onChange(listener: (change: NetworkChange) => void): () => void;
  /** Probed now. */
  health(): Promise<StageHealth>;
  /** Closes sockets; containers' networks stay as they are. */
  close(): Promise<void>;
}
