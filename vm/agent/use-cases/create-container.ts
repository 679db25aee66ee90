/** Creates a container: checks the request, merges the image's defaults, records it. Nothing runs yet. */
import { availableParallelism, hostname } from 'node:os';
import { EngineError } from '../../contract/errors.ts';
import { rfc3339Now } from '../clock.ts';
import type { ImageConfig, ResolvedImage } from '../images.ts';
import { parsePortBindings } from '../network/port-bindings.ts';
import { formatPlatform, parsePlatform, selectPlatform } from '../registry/platform.ts';
import { never } from '../state/container-record.ts';
import type { ContainerConfig, ContainerRecord, EndpointRequest, HostConfig } from '../state/container-record.ts';
import { checkHostConfig, parseRestartPolicy } from './check-host-config.ts';
import { checkBindSources, warnOfNewFolders } from './container-mounts.ts';
import { completeEndpoints } from './container-network.ts';
import { capabilitiesOf, commandOf, maskedPaths, readonlyPaths } from './container-spec.ts';
import { checkHealthcheck, mergeHealthcheck } from './health-rules.ts';
import { checkSharedNamespaces, sharesIdsWith } from './shared-namespaces.ts';
import { collectMounts } from './mount-requests.ts';
import { checkContainerName, inventId, inventName } from './names.ts';
import { publishContainerEvent } from './parts.ts';
import type { Parts } from './parts.ts';
import { parseSignal } from './signals.ts';
import { sizeLimitOf } from './size-limit.ts';

export interface CreateRequest {
  readonly config: Omit<ContainerConfig, 'OnBuild'>;
  readonly hostConfig: Omit<HostConfig, 'RestartPolicy'> & {
    readonly RestartPolicy: { readonly Name: string; readonly MaximumRetryCount: number };
  };
  readonly endpoints: Readonly<Record<string, EndpointRequest>>;
}

export interface CreateResult {
  readonly id: string;
  readonly warnings: readonly string[];
}

const defaultShmBytes = 64 * 1024 * 1024;

/** Rejects with `invalid-parameter`, `not-found` (image) or `conflict` (name), in Docker's words. */
export async function createContainer(
  parts: Parts,
  name: string | undefined,
  request: CreateRequest,
  options: Pick<ContainerRecord, 'isBuildStep'> & { readonly platform?: string | undefined } = {},
): Promise<CreateResult> {
  const chosen = name === undefined ? inventName((taken) => parts.store.isNameFree(taken)) : checkContainerName(name);
  const hostConfig = completeHostConfig(request.hostConfig);
  checkSharedNamespaces(parts, request.config, hostConfig);
  const warnings = checkHostConfig(hostConfig, availableParallelism());
  if (request.config.Image === '') throw new EngineError('invalid-parameter', 'no image was specified');
  const { platform, ...kept } = options;
  const image = await parts.images.resolve(request.config.Image);
  if (platform !== undefined) checkPlatform(image.config, request.config.Image, platform);
  const id = inventId();
  const config = completeConfig(request.config, hostConfig, image.config.config, id);
  checkConfig(config, hostConfig);
  const endpoints = completeEndpoints(parts, hostConfig, request.endpoints);
  const mounts = await collectMounts({
    hostConfig,
    volumePaths: Object.keys(config.Volumes ?? {}),
    volumes: parts.volumes,
    findContainer: (reference) => parts.store.find(reference),
  });
  await checkBindSources(mounts);
  const added = { ...newRecord(id, chosen, image, config, hostConfig, endpoints, mounts), ...kept };
  const record = parts.store.add(added, {
    wantsIdRange: usesUserNamespace(hostConfig),
    sharesIdsWith: sharesIdsWith(parts, hostConfig),
    wantsDiskProject: sizeLimitOf(hostConfig.StorageOpt) > 0,
  });
  publishContainerEvent(parts, record, 'create');
  return { id, warnings: [...warnings, ...(await warnOfNewFolders(mounts))] };
}

/** `not-found`, so that clients pull the image that is wanted. What the text leaves open fits. */
function checkPlatform({ os, architecture }: ImageConfig, reference: string, text: string): void {
  const wanted = parsePlatform(text, { os, architecture });
  if (selectPlatform([{ os, architecture, variant: wanted.variant }], wanted) === 0) return;
  const actual = formatPlatform({ os, architecture });
  throw new EngineError(
    'not-found',
    `image with reference ${reference} was found but does not match the specified platform: wanted ${formatPlatform(wanted)}, actual: ${actual}`,
  );
}

/** On by default: the container's root is nobody in the guest. */
function usesUserNamespace(hostConfig: HostConfig): boolean {
  return !hostConfig.Privileged && hostConfig.UsernsMode !== 'host';
}

function completeHostConfig(given: CreateRequest['hostConfig']): HostConfig {
  return {
    ...given,
    RestartPolicy: parseRestartPolicy(given.RestartPolicy),
    NetworkMode: given.NetworkMode === '' || given.NetworkMode === 'default' ? 'bridge' : given.NetworkMode,
    LogConfig: given.LogConfig.Type === '' ? { ...given.LogConfig, Type: 'json-file' } : given.LogConfig,
    CgroupnsMode: given.CgroupnsMode === '' ? 'private' : given.CgroupnsMode,
    IpcMode: given.IpcMode === '' ? 'private' : given.IpcMode,
    MaskedPaths: given.MaskedPaths ?? maskedPaths,
    ReadonlyPaths: given.ReadonlyPaths ?? readonlyPaths,
    ShmSize: given.ShmSize === 0 ? defaultShmBytes : given.ShmSize,
    Devices: given.Devices.map((device) => ({
      PathOnHost: device.PathOnHost,
      PathInContainer: device.PathInContainer === '' ? device.PathOnHost : device.PathInContainer,
      CgroupPermissions: device.CgroupPermissions === '' ? 'rwm' : device.CgroupPermissions,
    })),
  };
}

function completeConfig(
  given: CreateRequest['config'],
  hostConfig: HostConfig,
  image: ImageConfig['config'],
  id: string,
): ContainerConfig {
  const entrypointGiven = (given.Entrypoint?.length ?? 0) > 0;
  // An entrypoint of one empty word takes the image's away.
  const entrypoint = given.Entrypoint?.length === 1 && given.Entrypoint[0] === '' ? null : given.Entrypoint;
  const keepsImageCommand = !entrypointGiven && (given.Cmd?.length ?? 0) === 0;
  const ports = { ...image.ExposedPorts, ...given.ExposedPorts, ...boundPorts(hostConfig) };
  const volumes = { ...image.Volumes, ...given.Volumes };
  const stopSignal = given.StopSignal === undefined || given.StopSignal === '' ? image.StopSignal : given.StopSignal;
  const shell = given.Shell ?? image.Shell;
  const healthcheck = mergeHealthcheck(given.Healthcheck, image.Healthcheck);
  const { StopSignal: _signal, ExposedPorts: _ports, ...rest } = given;
  return {
    ...rest,
    Hostname: given.Hostname !== '' ? given.Hostname : hostConfig.NetworkMode === 'host' ? hostname() : id.slice(0, 12),
    User: given.User === '' ? (image.User ?? '') : given.User,
    Env: mergeEnvironment(given.Env, image.Env ?? []),
    Cmd: keepsImageCommand ? (image.Cmd ?? null) : given.Cmd,
    Entrypoint: entrypointGiven
      ? entrypoint
      : given.Entrypoint === null
        ? (image.Entrypoint ?? null)
        : given.Entrypoint,
    WorkingDir: given.WorkingDir === '' ? (image.WorkingDir ?? '') : given.WorkingDir,
    Labels: { ...image.Labels, ...given.Labels },
    Volumes: Object.keys(volumes).length > 0 ? volumes : null,
    OnBuild: null,
    ...(Object.keys(ports).length > 0 ? { ExposedPorts: ports } : {}),
    ...(stopSignal === undefined ? {} : { StopSignal: stopSignal }),
    ...(shell === undefined ? {} : { Shell: shell }),
    ...(healthcheck === undefined ? {} : { Healthcheck: healthcheck }),
  };
}

function boundPorts(hostConfig: HostConfig): Record<string, object> {
  const keys = Object.keys(hostConfig.PortBindings).map((key) => (key.includes('/') ? key : `${key}/tcp`));
  return Object.fromEntries(keys.map((key) => [key, {}]));
}

/** The given ones first, then those of the image that were not given. */
function mergeEnvironment(given: readonly string[], image: readonly string[]): string[] {
  const names = new Set(given.map((entry) => entry.split('=', 1)[0]));
  return [...given, ...image.filter((entry) => !names.has(entry.split('=', 1)[0]))];
}

function checkConfig(config: ContainerConfig, hostConfig: HostConfig): void {
  if (commandOf(config).length === 0) throw new EngineError('invalid-parameter', 'No command specified');
  if (config.WorkingDir !== '' && !config.WorkingDir.startsWith('/')) {
    throw new EngineError(
      'invalid-parameter',
      `the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  }
  const badEnv = config.Env.find((entry) => entry === '' || entry.startsWith('=') || entry.includes('\0'));
  if (badEnv !== undefined) throw new EngineError('invalid-parameter', `invalid environment variable: ${badEnv}`);
  if (config.StopSignal !== undefined) parseSignal(config.StopSignal);
  checkHealthcheck(config.Healthcheck);
  capabilitiesOf(hostConfig);
  parsePortBindings({
    portBindings: hostConfig.PortBindings,
    exposed: Object.keys(config.ExposedPorts ?? {}),
    publishAll: hostConfig.PublishAllPorts,
  });
}

function newRecord(
  id: string,
  name: string,
  image: ResolvedImage,
  config: ContainerConfig,
  hostConfig: HostConfig,
  endpoints: Readonly<Record<string, EndpointRequest>>,
  mounts: ContainerRecord['mounts'],
): Omit<ContainerRecord, 'idSlot' | 'diskProject'> {
  return {
    id,
    name,
    createdAt: rfc3339Now(),
    imageId: image.id,
    config,
    hostConfig,
    endpoints,
    mounts,
    state: {
      status: 'created',
      pid: 0,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: never,
      finishedAt: never,
    },
    restartCount: 0,
    manuallyStopped: false,
  };
}
