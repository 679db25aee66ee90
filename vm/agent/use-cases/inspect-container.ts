/** The body of `GET /containers/:id/json`. */
import type { Endpoint, PublishedPort } from '../network/network.ts';
import { never } from '../state/container-record.ts';
import type { ContainerRecord, ContainerState, EndpointRequest, Health } from '../state/container-record.ts';
import { wantedEndpoints } from './container-network.ts';
import { commandOf } from './container-spec.ts';
import { containerPaths } from './parts.ts';
import type { Parts } from './parts.ts';
import { healthOf } from './watch-health.ts';

/** `size`: with the bytes of the writable layer, which takes a walk through it. */
export async function inspectContainer(parts: Parts, reference: string, size: boolean): Promise<object> {
  const record = parts.store.find(reference);
  const paths = containerPaths(parts.config, record.id);
  const [path = '', ...args] = commandOf(record.config);
  const sizeRw = size ? await parts.images.rootSize(record.id) : undefined;
  const { RestartPolicy, ...hostConfig } = record.hostConfig;
  return {
    Id: record.id,
    Created: record.createdAt,
    Path: path,
    Args: args,
    State: stateView(record.state, healthOf(parts, record)),
    Image: record.imageId,
    ResolvConfPath: paths.resolvConf,
    HostnamePath: paths.hostname,
    HostsPath: paths.hosts,
    LogPath: record.hostConfig.LogConfig.Type === 'none' ? '' : paths.log,
    Name: `/${record.name}`,
    RestartCount: record.restartCount,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: parts.execs.idsOf(record.id),
    HostConfig: {
      ...hostConfig,
      RestartPolicy,
      ContainerIDFile: '',
      VolumeDriver: '',
      Cgroup: '',
      Links: hostConfig.Links ?? null,
      Runtime: 'wherry',
      Isolation: '',
      CgroupParent: '',
      BlkioWeightDevice: [],
      CpuRealtimePeriod: 0,
      CpuRealtimeRuntime: 0,
      DeviceRequests: null,
      MemorySwappiness: null,
      OomKillDisable: null,
      CpuCount: 0,
      CpuPercent: 0,
      IOMaximumIOps: 0,
      IOMaximumBandwidth: 0,
    },
    GraphDriver: { Name: 'overlay2', Data: { UpperDir: `${paths.dir}/upper`, WorkDir: `${paths.dir}/work` } },
    ...(sizeRw === undefined ? {} : { SizeRw: sizeRw, SizeRootFs: sizeRw }),
    Mounts: mountsView(record),
    Config: record.config,
    NetworkSettings: networkSettings(parts, record),
  };
}

function stateView(state: ContainerState, health: Health | undefined): object {
  return {
    Status: state.status,
    Running: ['running', 'paused', 'restarting'].includes(state.status),
    Paused: state.status === 'paused',
    Restarting: state.status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: state.status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
    ...(health === undefined ? {} : { Health: health }),
  };
}

function networkSettings(parts: Parts, record: ContainerRecord): object {
  const endpoints = parts.network.endpointsOf(record.id);
  const bridge = endpoints.find((endpoint) => endpoint.networkName === 'bridge');
  const isRunning = record.state.pid !== 0;
  return {
    Bridge: '',
    SandboxID: isRunning ? record.id : '',
    SandboxKey: isRunning ? `/proc/${record.state.pid}/ns/net` : '',
    Ports: portMap(record, parts.network.portsOf(record.id)),
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.id ?? '',
    Gateway: bridge?.gateway ?? '',
    GlobalIPv6Address: bridge?.inet6?.address ?? '',
    GlobalIPv6PrefixLen: bridge?.inet6?.prefixLength ?? 0,
    IPAddress: bridge?.address ?? '',
    IPPrefixLen: bridge?.prefixLength ?? 0,
    IPv6Gateway: bridge?.inet6?.gateway ?? '',
    MacAddress: bridge?.mac ?? '',
    Networks: networksView(record, endpoints),
  };
}

/** Without what only the engine reads. */
export function mountsView({ mounts }: ContainerRecord): object[] {
  return mounts.map(({ Subpath: _subpath, ...mount }) =>
    mount.Mode === 'must-exist' ? { ...mount, Mode: '' } : mount,
  );
}

/** Connected networks, or, of a stopped container, those it will be connected to. */
export function networksView(record: ContainerRecord, endpoints: readonly Endpoint[]): Record<string, object> {
  if (record.hostConfig.NetworkMode.startsWith('container:')) return {};
  const asked = Object.fromEntries(wantedEndpoints(record));
  if (endpoints.length > 0) {
    return Object.fromEntries(
      endpoints.map((endpoint) => [endpoint.networkName, endpointView(record, asked[endpoint.networkName], endpoint)]),
    );
  }
  return Object.fromEntries(
    Object.entries(asked).map(([name, request]) => [name, endpointView(record, request, undefined)]),
  );
}

function endpointView(
  record: ContainerRecord,
  asked: EndpointRequest | undefined,
  endpoint: Endpoint | undefined,
): object {
  return {
    IPAMConfig: ipamConfig(asked),
    Links: asked?.links ?? null,
    Aliases: asked === undefined || asked.aliases.length === 0 ? null : asked.aliases,
    MacAddress: endpoint?.mac ?? asked?.mac ?? '',
    DriverOpts: null,
    GwPriority: 0,
    NetworkID: endpoint?.networkId ?? '',
    EndpointID: endpoint?.id ?? '',
    Gateway: endpoint?.gateway ?? '',
    IPAddress: endpoint?.address ?? '',
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: endpoint?.inet6?.gateway ?? '',
    GlobalIPv6Address: endpoint?.inet6?.address ?? '',
    GlobalIPv6PrefixLen: endpoint?.inet6?.prefixLength ?? 0,
    DNSNames:
      endpoint === undefined || endpoint.networkName === 'bridge'
        ? null
        : [...new Set([record.name, ...endpoint.aliases, record.id.slice(0, 12), record.config.Hostname])],
  };
}

/** What was asked for; null: nothing. */
function ipamConfig(asked: EndpointRequest | undefined): object | null {
  if (asked?.address === undefined && asked?.address6 === undefined) return null;
  return {
    ...(asked.address === undefined ? {} : { IPv4Address: asked.address }),
    ...(asked.address6 === undefined ? {} : { IPv6Address: asked.address6 }),
  };
}

/** `80/tcp` → where it is published; null for ports only exposed. Empty when nothing runs. */
function portMap(
  record: ContainerRecord,
  published: readonly PublishedPort[],
): Record<string, { HostIp: string; HostPort: string }[] | null> {
  if (record.state.pid === 0) return {};
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const port of Object.keys(record.config.ExposedPorts ?? {})) map[port] = null;
  for (const port of published) {
    const key = `${port.containerPort}/${port.protocol}`;
    map[key] = [...(map[key] ?? []), { HostIp: port.hostIp, HostPort: String(port.hostPort) }];
  }
  return map;
}

/** Whether this time has been set. */
export function happened(time: string): boolean {
  return time !== never;
}
