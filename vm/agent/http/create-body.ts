/** The body of `POST /containers/create`, as clients of many ages send it: nulls and missing fields become defaults. */
import { z } from 'zod';
import { EngineError } from '../../contract/errors.ts';
import type { CreateRequest } from '../use-cases/create-container.ts';
import { flag, integer, labels, list, listOrNull, set, text } from './fields.ts';
import { endpointSettings, toEndpointRequest } from './network-body.ts';

/** A command is a list; a lone string is its only word. */
const command = z
  .union([z.array(z.string()), z.string().transform((value) => [value])])
  .nullish()
  .transform((value) => value ?? null);
const throttle = z
  .array(z.object({ Path: z.string(), Rate: z.number().int().nonnegative() }))
  .nullish()
  .transform((value) => value ?? null);
const mayBeInteger = z
  .number()
  .int()
  .nullish()
  .transform((value) => value ?? undefined);
const healthcheck = z.object({
  Test: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? undefined),
  Interval: mayBeInteger,
  Timeout: mayBeInteger,
  StartPeriod: mayBeInteger,
  StartInterval: mayBeInteger,
  Retries: mayBeInteger,
});

const mount = z.object({
  Type: z.string().transform(mountType),
  Source: text,
  Target: z.string(),
  ReadOnly: flag,
  BindOptions: z
    .object({
      Propagation: z.string().optional(),
      NonRecursive: z.boolean().optional(),
      CreateMountpoint: z.boolean().optional(),
    })
    .nullish(),
  VolumeOptions: z
    .object({
      NoCopy: z.boolean().optional(),
      Labels: z.record(z.string(), z.string()).optional(),
      Subpath: z.string().optional(),
      DriverConfig: z
        .object({ Name: text, Options: labels })
        .nullish()
        .transform((value) => value ?? undefined),
    })
    .nullish(),
  TmpfsOptions: z.object({ SizeBytes: z.number().optional(), Mode: z.number().optional() }).nullish(),
});

const restartPolicy = z
  .object({ Name: text, MaximumRetryCount: integer })
  .nullish()
  .transform((value) => value ?? { Name: '', MaximumRetryCount: 0 });

const portBindings = z
  .record(z.string(), z.array(z.object({ HostIp: text, HostPort: text })).nullable())
  .nullish()
  .transform((value) => value ?? {});

const hostConfig = z.object({
  Binds: listOrNull,
  LogConfig: z
    .object({ Type: text, Config: labels })
    .nullish()
    .transform((value) => value ?? { Type: '', Config: {} }),
  NetworkMode: text,
  PortBindings: portBindings,
  RestartPolicy: restartPolicy,
  AutoRemove: flag,
  VolumesFrom: listOrNull,
  ConsoleSize: z
    .tuple([z.number().int(), z.number().int()])
    .nullish()
    .transform((value): [number, number] => value ?? [0, 0]),
  CapAdd: listOrNull,
  CapDrop: listOrNull,
  CgroupnsMode: text,
  Dns: list,
  DnsOptions: list,
  DnsSearch: list,
  ExtraHosts: listOrNull,
  GroupAdd: listOrNull,
  Links: listOrNull,
  IpcMode: text,
  OomScoreAdj: integer,
  PidMode: text,
  Privileged: flag,
  PublishAllPorts: flag,
  ReadonlyRootfs: flag,
  SecurityOpt: listOrNull,
  UTSMode: text,
  UsernsMode: text,
  ShmSize: integer,
  CpuShares: integer,
  Memory: integer,
  NanoCpus: integer,
  BlkioWeight: integer,
  BlkioDeviceReadBps: throttle,
  BlkioDeviceWriteBps: throttle,
  BlkioDeviceReadIOps: throttle,
  BlkioDeviceWriteIOps: throttle,
  CpuPeriod: integer,
  CpuQuota: integer,
  CpusetCpus: text,
  CpusetMems: text,
  Devices: z
    .array(z.object({ PathOnHost: z.string(), PathInContainer: text, CgroupPermissions: text }))
    .nullish()
    .transform((value) => value ?? []),
  DeviceCgroupRules: listOrNull,
  MemoryReservation: integer,
  MemorySwap: integer,
  PidsLimit: z
    .number()
    .int()
    .nullish()
    .transform((value) => value ?? null),
  Ulimits: z
    .array(z.object({ Name: z.string(), Soft: z.number().int(), Hard: z.number().int() }))
    .nullish()
    .transform((value) => value ?? []),
  Mounts: z
    .array(mount)
    .nullish()
    .transform((value) => value ?? []),
  Tmpfs: labels,
  Sysctls: labels,
  Annotations: labels,
  StorageOpt: labels,
  Init: z
    .boolean()
    .nullish()
    .transform((value) => value ?? null),
  MaskedPaths: listOrNull,
  ReadonlyPaths: listOrNull,
});

const createBody = z.object({
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  ExposedPorts: set,
  Tty: flag,
  OpenStdin: flag,
  StdinOnce: flag,
  Env: list,
  Cmd: command,
  Healthcheck: healthcheck.nullish(),
  Image: text,
  Volumes: set,
  WorkingDir: text,
  Entrypoint: command,
  NetworkDisabled: flag,
  MacAddress: text,
  Labels: labels,
  StopSignal: text,
  StopTimeout: z.number().int().nullish(),
  Shell: z.array(z.string()).nullish(),
  HostConfig: hostConfig.nullish(),
  NetworkingConfig: z
    .object({ EndpointsConfig: z.record(z.string(), endpointSettings.nullable()).nullish() })
    .nullish(),
});

/** In Docker's words, which name no field of the body. */
function mountType(type: string): 'bind' | 'volume' | 'tmpfs' {
  if (type === 'bind' || type === 'volume' || type === 'tmpfs') return type;
  throw new EngineError('invalid-parameter', `invalid mount config for type "${type}": mount type unknown`);
}

/** Throws a zod error, which the caller words, or an `EngineError`. */
export const createContainerBody = createBody.transform((body): CreateRequest => {
  const { HostConfig, NetworkingConfig, MacAddress, ExposedPorts, Healthcheck, StopTimeout, Shell, ...config } = body;
  const endpoints = Object.entries(NetworkingConfig?.EndpointsConfig ?? {}).map(([name, value]) => {
    const asked = toEndpointRequest(value);
    // Before API 1.44 the one MAC address was the container's, not the endpoint's.
    return [name, asked.mac === undefined && MacAddress !== '' ? { ...asked, mac: MacAddress } : asked] as const;
  });
  if (endpoints.length === 0 && MacAddress !== '') endpoints.push(['default', { aliases: [], mac: MacAddress }]);
  return {
    config: {
      ...config,
      ...(ExposedPorts == null ? {} : { ExposedPorts }),
      ...(Healthcheck == null ? {} : { Healthcheck: withoutUndefined(Healthcheck) }),
      ...(StopTimeout == null ? {} : { StopTimeout }),
      ...(Shell == null ? {} : { Shell }),
      Volumes: config.Volumes ?? null,
    },
    hostConfig: toHostConfig(HostConfig ?? hostConfig.parse({})),
    endpoints: Object.fromEntries(endpoints),
  };
});

function toHostConfig(parsed: z.infer<typeof hostConfig>): CreateRequest['hostConfig'] {
  const { Annotations, StorageOpt, ...others } = parsed;
  return {
    ...others,
    ...(Object.keys(Annotations).length === 0 ? {} : { Annotations }),
    ...(Object.keys(StorageOpt).length === 0 ? {} : { StorageOpt }),
    Mounts: parsed.Mounts.map(({ BindOptions, VolumeOptions, TmpfsOptions, ...rest }) => ({
      ...rest,
      ...(BindOptions == null ? {} : { BindOptions: withoutUndefined(BindOptions) }),
      ...(VolumeOptions == null ? {} : { VolumeOptions: withoutUndefined(VolumeOptions) }),
      ...(TmpfsOptions == null ? {} : { TmpfsOptions: withoutUndefined(TmpfsOptions) }),
    })),
  };
}

type Defined<Value> = { [Key in keyof Value]: Exclude<Value[Key], undefined> };

function withoutUndefined<Value extends object>(value: Value): Defined<Value> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Defined<Value>;
}
