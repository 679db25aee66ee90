/**
 * What of a container can be edited, what an edit changes, and the request that makes the edited container: all from the
 * engine's inspect answer. Pure. What is not edited is carried over as it was.
 */
import { z } from 'zod';
import type { ContainerEdit, MountEdit } from '../contract/engine.ts';

/** Names the container that this one was made from by an edit; set on the new one. */
export const replacesLabel = 'wherry.replaces';
/** When that one is to be started again (`RestartPolicy` as JSON), which it must not be while it is only kept. */
const keptPolicyLabel = 'wherry.replaces.restart-policy';

const anything = z.record(z.string(), z.unknown());
const words = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);
const number = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const binding = z.object({ HostIp: text, HostPort: text });

const restartPolicy = z.object({ Name: text, MaximumRetryCount: number });
export type RestartPolicy = z.infer<typeof restartPolicy>;

export const editableInspect = z.object({
  Id: z.string(),
  Name: z.string(),
  Image: text,
  State: z.object({ Running: z.boolean().default(false) }),
  Config: z.looseObject({
    Image: text,
    Hostname: text,
    Env: words,
    Cmd: words,
    Entrypoint: words,
    ExposedPorts: anything.nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
  HostConfig: z.looseObject({
    Binds: words,
    Mounts: z
      .array(anything)
      .nullish()
      .transform((value) => value ?? []),
    NetworkMode: text,
    PortBindings: z.record(z.string(), z.array(binding).nullable()).nullish(),
    RestartPolicy: restartPolicy.nullish(),
    AutoRemove: z.boolean().default(false),
    Memory: number,
    MemorySwap: number,
    NanoCpus: number,
    CpuQuota: number,
    CpuPeriod: number,
    PidsLimit: number,
  }),
  Mounts: z
    .array(z.object({ Type: text, Name: text, Source: text, Destination: text, RW: z.boolean().default(true) }))
    .nullish()
    .transform((value) => value ?? []),
  NetworkSettings: z.object({ Networks: z.record(z.string(), anything.nullable()).nullish() }).nullish(),
});
export type EditableInspect = z.infer<typeof editableInspect>;

const policies = ['no', 'always', 'unless-stopped', 'on-failure'] as const;

/** The container as it is, in the terms of an edit. */
export function editOf({ Config, HostConfig, Mounts }: EditableInspect): ContainerEdit {
  const { NanoCpus, CpuQuota, CpuPeriod } = HostConfig;
  return {
    command: Config.Cmd,
    environment: Config.Env,
    ports: Object.entries(HostConfig.PortBindings ?? {}).flatMap(([port, bindings]) => {
      const [containerPort = '', protocol] = port.split('/');
      return (bindings ?? []).map(({ HostIp, HostPort }) => ({
        containerPort: Number(containerPort),
        protocol: protocol === 'udp' ? ('udp' as const) : ('tcp' as const),
        hostPort: Number(HostPort) || 0,
        hostIp: HostIp,
      }));
    }),
    mounts: Mounts.flatMap(({ Type, Name, Source, Destination, RW }): MountEdit[] => {
      if (Type !== 'bind' && Type !== 'volume') return [];
      return [{ type: Type, source: Type === 'volume' ? Name : Source, target: Destination, readOnly: !RW }];
    }),
    memoryBytes: HostConfig.Memory,
    cpus: NanoCpus > 0 ? NanoCpus / 1e9 : CpuQuota > 0 ? CpuQuota / (CpuPeriod || 100_000) : 0,
    pidsLimit: Math.max(0, HostConfig.PidsLimit),
    restartPolicy: policies.find((policy) => policy === HostConfig.RestartPolicy?.Name) ?? 'no',
  };
}

/**
 * The body of `POST /containers/:id/update` when that is enough: only limits and the restart policy differ, and no limit
 * is taken away, for which the engine has no word. Undefined: the container must be made anew.
 */
export function updateBody(container: EditableInspect, edit: ContainerEdit): Record<string, unknown> | undefined {
  const before = editOf(container);
  const limits = ['memoryBytes', 'cpus', 'pidsLimit', 'restartPolicy'] as const;
  const rest = (value: ContainerEdit) =>
    JSON.stringify([value.command, value.environment, sortedPorts(value), sortedMounts(value)]);
  if (rest(before) !== rest(edit)) return undefined;
  if (limits.some((key) => before[key] !== edit[key] && edit[key] === 0)) return undefined;
  const { Memory, MemorySwap } = container.HostConfig;
  return {
    ...(before.memoryBytes === edit.memoryBytes
      ? {}
      : // Swap beside the memory stays as much as it was; the engine refuses less in all than the memory alone.
        {
          Memory: edit.memoryBytes,
          ...(MemorySwap > 0 ? { MemorySwap: edit.memoryBytes + MemorySwap - Memory } : {}),
        }),
    ...(before.cpus === edit.cpus ? {} : cpuShare(container, edit)),
    ...(before.pidsLimit === edit.pidsLimit ? {} : { PidsLimit: edit.pidsLimit }),
    ...(before.restartPolicy === edit.restartPolicy ? {} : { RestartPolicy: policyOf(container, edit) }),
  };
}

/** Two ways to say one thing, and they exclude each other: it is said in the way that it was. */
function cpuShare({ HostConfig: { CpuQuota, CpuPeriod } }: EditableInspect, { cpus }: ContainerEdit) {
  const period = CpuPeriod || 100_000;
  return CpuQuota > 0
    ? { CpuPeriod: period, CpuQuota: Math.round(cpus * period) }
    : { NanoCpus: Math.round(cpus * 1e9) };
}

function sortedPorts({ ports }: ContainerEdit): readonly string[] {
  return ports
    .map(({ containerPort, protocol, hostPort, hostIp }) => `${containerPort}/${protocol} ${hostIp}:${hostPort}`)
    .sort();
}

function sortedMounts({ mounts }: ContainerEdit): readonly string[] {
  return mounts.map(({ type, source, target, readOnly }) => JSON.stringify([target, source, type, readOnly])).sort();
}

function policyOf({ HostConfig: { RestartPolicy } }: EditableInspect, { restartPolicy }: ContainerEdit) {
  const kept = RestartPolicy?.Name === restartPolicy ? RestartPolicy.MaximumRetryCount : 0;
  return { Name: restartPolicy, MaximumRetryCount: kept };
}

/**
 * The body of `POST /containers/create` of the edited container.
 * @param image by which the very same image can be named
 * @param imageEntrypoint what the image runs by itself: left to it, so that an empty command means the image's own
 */
export function recreateBody(
  container: EditableInspect,
  edit: ContainerEdit,
  image: string,
  imageEntrypoint: readonly string[],
): Record<string, unknown> {
  const { Config, HostConfig } = container;
  const { Hostname, Entrypoint, ...config } = Config;
  const portKey = (port: ContainerEdit['ports'][number]) => `${port.containerPort}/${port.protocol}`;
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of edit.ports) {
    const HostPort = port.hostPort === 0 ? '' : String(port.hostPort);
    (bindings[portKey(port)] ??= []).push({ HostIp: port.hostIp, HostPort });
  }
  const cpusChanged = edit.cpus !== editOf(container).cpus;
  const memoryChanged = edit.memoryBytes !== HostConfig.Memory;
  return {
    ...config,
    Image: image,
    // By itself the engine names the host after the container.
    ...(container.Id.startsWith(Hostname) ? {} : { Hostname }),
    ...(JSON.stringify(Entrypoint) === JSON.stringify(imageEntrypoint) ? {} : { Entrypoint }),
    Cmd: edit.command,
    Env: edit.environment,
    ExposedPorts: { ...Config.ExposedPorts, ...Object.fromEntries(edit.ports.map((port) => [portKey(port), {}])) },
    Labels: { ...Config.Labels, ...keptLabels(container) },
    HostConfig: {
      ...HostConfig,
      ...mountsOf(container, edit.mounts),
      PortBindings: bindings,
      RestartPolicy: policyOf(container, edit),
      Memory: edit.memoryBytes,
      ...(memoryChanged ? { MemorySwap: 0 } : {}),
      ...(cpusChanged ? { NanoCpus: Math.round(edit.cpus * 1e9), CpuQuota: 0, CpuPeriod: 0 } : {}),
      PidsLimit: edit.pidsLimit === 0 ? null : edit.pidsLimit,
    },
    NetworkingConfig: { EndpointsConfig: endpointsOf(container) },
  };
}

function keptLabels({ Id, HostConfig: { RestartPolicy } }: EditableInspect): Record<string, string> {
  return {
    [replacesLabel]: Id,
    ...(RestartPolicy ? { [keptPolicyLabel]: JSON.stringify(RestartPolicy) } : {}),
  };
}

/** The policy of the container that this one replaces, from before it was kept. */
export function keptPolicy({ Config }: EditableInspect): RestartPolicy | undefined {
  try {
    return restartPolicy.parse(JSON.parse(Config.Labels?.[keptPolicyLabel] ?? ''));
  } catch {
    return undefined; // an edit by an older Wherry, which left the policy alone
  }
}

/**
 * Mounts that stay keep the very words they were asked for with (their options too), others get plain ones. A volume
 * that the engine made up for the old container is named, so that its files are in the new one.
 */
function mountsOf({ HostConfig, Mounts }: EditableInspect, wanted: readonly MountEdit[]) {
  const binds: string[] = [];
  const mounts: Record<string, unknown>[] = HostConfig.Mounts.filter(({ Type }) => Type === 'tmpfs');
  const known = new Map(Mounts.map((mount) => [mount.Destination, mount]));
  for (const { type, source, target, readOnly } of wanted) {
    const was = known.get(target);
    const same = was?.Type === type && (type === 'volume' ? was.Name : was.Source) === source && was.RW === !readOnly;
    const bind = same ? HostConfig.Binds.find((words) => words.split(':')[1] === target) : undefined;
    const mount = same ? HostConfig.Mounts.find(({ Target }) => Target === target) : undefined;
    if (bind !== undefined) binds.push(bind);
    else if (mount !== undefined && mount['Source'] === source) mounts.push(mount);
    else mounts.push({ Type: type, Source: source, Target: target, ReadOnly: readOnly });
  }
  return { Binds: binds, Mounts: mounts };
}

/** The networks it is in, by what was asked for; addresses that the engine chose are chosen anew. */
function endpointsOf({ Id, HostConfig, NetworkSettings }: EditableInspect): Record<string, unknown> {
  if (/^(host|none|container:.*)$/.test(HostConfig.NetworkMode)) return {};
  return Object.fromEntries(
    Object.entries(NetworkSettings?.Networks ?? {}).map(([network, endpoint]) => {
      const aliases = words.parse(endpoint?.['Aliases']).filter((alias) => !Id.startsWith(alias));
      return [
        network,
        {
          ...(endpoint?.['IPAMConfig'] ? { IPAMConfig: endpoint['IPAMConfig'] } : {}),
          ...(endpoint?.['Links'] ? { Links: endpoint['Links'] } : {}),
          ...(endpoint?.['DriverOpts'] ? { DriverOpts: endpoint['DriverOpts'] } : {}),
          ...(aliases.length > 0 ? { Aliases: aliases } : {}),
        },
      ];
    }),
  );
}
