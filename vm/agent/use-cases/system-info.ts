/** `GET /info` and `GET /version`: only what is so. */
import { readFileSync } from 'node:fs';
import { availableParallelism, hostname, machine, release, totalmem } from 'node:os';
import type { EventFeed } from '../events.ts';
import { isRunning } from '../state/container-record.ts';
import type { Parts } from './parts.ts';

export interface SystemFacts {
  readonly agentVersion: string;
  readonly apiVersion: string;
  readonly minimumApiVersion: string;
  /** Made once per VM. */
  readonly instanceId: string;
  readonly imageCount: () => number;
  readonly proxy: { readonly http?: string; readonly https?: string; readonly no?: string } | undefined;
  /** `host` or `host:port`, as the seed has them. */
  readonly mirrors: readonly string[];
  readonly insecureRegistries: readonly string[];
  /** Empty: the engine's own. */
  readonly addressPools: readonly { readonly base: string; readonly size: number }[];
}

const architectures: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };

export function systemVersion(facts: SystemFacts): object {
  const common = {
    ApiVersion: facts.apiVersion,
    MinAPIVersion: facts.minimumApiVersion,
    GitCommit: '',
    Os: 'linux',
    Arch: architectures[machine()] ?? machine(),
    KernelVersion: release(),
    BuildTime: '',
  };
  return {
    Platform: { Name: 'Wherry' },
    Components: [
      {
        Name: 'Engine',
        Version: facts.agentVersion,
        Details: { ...common, GoVersion: '', Experimental: 'false' },
      },
      { Name: 'node', Version: process.versions.node, Details: {} },
    ],
    Version: facts.agentVersion,
    GoVersion: '',
    ...common,
  };
}

export function systemInfo(parts: Parts, facts: SystemFacts, events: EventFeed): object {
  const containers = parts.store.all();
  const count = (status: string): number => containers.filter((record) => record.state.status === status).length;
  const running = containers.filter(isRunning).length;
  return {
    ID: facts.instanceId,
    Containers: containers.length,
    ContainersRunning: running - count('paused'),
    ContainersPaused: count('paused'),
    ContainersStopped: containers.length - running,
    Images: facts.imageCount(),
    Driver: 'overlay2',
    DriverStatus: [
      ['Backing Filesystem', 'xfs'],
      ['Supports d_type', 'true'],
      ['Native Overlay Diff', 'true'],
      ['userxattr', 'false'],
    ],
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: ['json-file', 'local', 'none'],
    },
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: true,
    CPUSet: true,
    PidsLimit: true,
    IPv4Forwarding: true,
    OomKillDisable: false,
    Debug: false,
    NFd: 0,
    NGoroutines: 0,
    NEventsListener: events.listenerCount,
    SystemTime: new Date().toISOString(),
    LoggingDriver: 'json-file',
    CgroupDriver: 'cgroupfs',
    CgroupVersion: '2',
    KernelVersion: release(),
    OperatingSystem: operatingSystem(),
    OSVersion: '',
    OSType: 'linux',
    Architecture: machine(),
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: registryConfig(facts),
    GenericResources: null,
    DockerRootDir: parts.config.dataDir,
    HttpProxy: facts.proxy?.http ?? '',
    HttpsProxy: facts.proxy?.https ?? '',
    NoProxy: facts.proxy?.no ?? '',
    Name: hostname(),
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: facts.agentVersion,
    Runtimes: { wherry: { path: 'monitor' } },
    DefaultRuntime: 'wherry',
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: 'monitor',
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: '' },
    InitCommit: { ID: '' },
    SecurityOptions: ['name=seccomp,profile=builtin', 'name=userns', 'name=cgroupns'],
    CDISpecDirs: [],
    ...addressPools(facts),
    Warnings: null,
  };
}

function operatingSystem(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  } catch {
    return 'Linux';
  }
}

/** As Docker tells them: only those that somebody chose. */
export function addressPools({ addressPools: pools }: Pick<SystemFacts, 'addressPools'>): object {
  if (pools.length === 0) return {};
  return { DefaultAddressPools: pools.map(({ base, size }) => ({ Base: base, Size: size })) };
}

/** Mirrors as addresses and one entry for each insecure registry, as Docker has them. */
export function registryConfig({
  mirrors,
  insecureRegistries,
}: Pick<SystemFacts, 'mirrors' | 'insecureRegistries'>): object {
  const addresses = mirrors.map((host) => `https://${host}/`);
  const insecure = insecureRegistries.map((Name) => [Name, { Name, Mirrors: [], Secure: false, Official: false }]);
  return {
    IndexConfigs: {
      'docker.io': { Name: 'docker.io', Mirrors: addresses, Secure: true, Official: true },
      ...(Object.fromEntries(insecure) as object),
    },
    InsecureRegistryCIDRs: ['127.0.0.0/8', '::1/128'],
    Mirrors: addresses.length === 0 ? null : addresses,
  };
}
