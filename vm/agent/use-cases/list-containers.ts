/** `GET /containers/json`: filters and summaries. */
import { EngineError } from '../../contract/errors.ts';
import type { Filters } from '../filters.ts';
import { ancestryOf } from './image-ancestry.ts';
import type { ContainerRecord, ContainerStatus, Health } from '../state/container-record.ts';
import { commandOf } from './container-spec.ts';
import { happened, mountsView, networksView } from './inspect-container.ts';
import type { Parts } from './parts.ts';
import { healthOf } from './watch-health.ts';

export interface ListRequest {
  /** Stopped ones too. */
  readonly all: boolean;
  /** Only this many, newest first; 0: no limit. Implies `all`. */
  readonly limit: number;
  readonly size: boolean;
  readonly filters: Filters;
}

export const listFilterNames = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
] as const;

const statuses = new Set<string>([
  'created',
  'restarting',
  'running',
  'removing',
  'paused',
  'exited',
  'dead',
] satisfies ContainerStatus[]);

/** Newest first. */
export async function listContainers(parts: Parts, request: ListRequest): Promise<object[]> {
  const isWanted = await buildTest(parts, request);
  const newestFirst = parts.store.all().sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  const wanted = newestFirst.filter(isWanted);
  const limited = request.limit > 0 ? wanted.slice(0, request.limit) : wanted;
  return Promise.all(limited.map((record) => summary(parts, record, request.size)));
}

async function buildTest(parts: Parts, request: ListRequest): Promise<(record: ContainerRecord) => boolean> {
  const { filters } = request;
  checkStatuses(filters);
  checkHealth(filters);
  checkTask(filters);
  const images = await Promise.all(filters.get('ancestor').map((name) => ancestryOf(parts, name)));
  const before = filters.get('before').map((reference) => createdAtOf(parts, reference));
  const since = filters.get('since').map((reference) => createdAtOf(parts, reference));
  const exitCodes = filters.get('exited').map(parseExitCode);
  const expose = parsePorts(filters, 'expose');
  const publish = parsePorts(filters, 'publish');
  const showsAll = request.all || request.limit > 0 || filters.has('status');
  return (record) => {
    const { state } = record;
    return (
      (showsAll || exitCodes.length > 0 || isUp(record)) &&
      filters.matches('status', state.status) &&
      filters.matchesPrefix('id', record.id) &&
      filters.matchesPattern('name', [record.name, `/${record.name}`]) &&
      filters.matchesLabels(record.config.Labels) &&
      (!filters.has('ancestor') || images.some((ids) => ids.has(record.imageId))) &&
      before.every((time) => record.createdAt < time) &&
      since.every((time) => record.createdAt > time) &&
      (exitCodes.length === 0 || (exitCodes.includes(state.exitCode) && happened(state.finishedAt) && !isUp(record))) &&
      matchesVolume(record, filters) &&
      matchesNetwork(parts, record, filters) &&
      (!(filters.has('expose') || filters.has('publish')) ||
        portList(parts, record).some(
          ({ PrivatePort, PublicPort, Type }) =>
            fitsPort(PrivatePort, Type, expose) || (PublicPort !== undefined && fitsPort(PublicPort, Type, publish)),
        )) &&
      filters.matches('health', healthOf(parts, record)?.Status ?? 'none') &&
      filters.matches('is-task', 'false')
    );
  };
}

/** Docker words it so in this place only. */
function createdAtOf(parts: Parts, reference: string): string {
  try {
    return parts.store.find(reference).createdAt;
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'not-found') throw error;
    throw new EngineError('not-found', `no such container ${reference}`, { cause: error });
  }
}

function isUp(record: ContainerRecord): boolean {
  return ['running', 'paused', 'restarting'].includes(record.state.status);
}

function checkStatuses(filters: Filters): void {
  const unknown = filters.get('status').find((status) => !statuses.has(status));
  if (unknown !== undefined) throw new EngineError('invalid-parameter', `Invalid filter 'status=${unknown}'`);
}

function checkHealth(filters: Filters): void {
  const unknown = filters
    .get('health')
    .find((health) => !['none', 'starting', 'healthy', 'unhealthy'].includes(health));
  if (unknown === undefined) return;
  throw new EngineError('invalid-parameter', `Unrecognised filter value for health: ${unknown}`);
}

function checkTask(filters: Filters): void {
  const isBoolean = (text: string): boolean => /^([01tTfF]|true|TRUE|True|false|FALSE|False)$/.test(text);
  if (filters.get('is-task').every(isBoolean)) return;
  throw new EngineError('invalid-parameter', `Invalid filter 'is-task=[${filters.get('is-task').join(' ')}]'`);
}

function parseExitCode(text: string): number {
  const code = Number(text);
  if (!Number.isInteger(code))
    throw new EngineError('invalid-parameter', `strconv.Atoi: parsing "${text}": invalid syntax`);
  return code;
}

function matchesVolume(record: ContainerRecord, filters: Filters): boolean {
  const names = record.mounts.flatMap((mount) => [mount.Name ?? '', mount.Destination, mount.Source]);
  return !filters.has('volume') || filters.get('volume').some((wanted) => names.includes(wanted));
}

function matchesNetwork(parts: Parts, record: ContainerRecord, filters: Filters): boolean {
  if (!filters.has('network')) return true;
  const endpoints = parts.network.endpointsOf(record.id);
  const names = [
    record.hostConfig.NetworkMode,
    ...endpoints.flatMap(({ networkId, networkName }) => [networkId, networkName]),
  ];
  return filters.get('network').some((wanted) => names.includes(wanted));
}

interface PortRange {
  readonly first: number;
  readonly last: number;
  readonly protocol: string;
}

/** `80`, `80/tcp`, `8000-8080/tcp`. */
function parsePorts(filters: Filters, name: 'expose' | 'publish'): PortRange[] {
  return filters.get(name).map((wanted) => {
    const match = /^(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(wanted);
    if (match === null) {
      throw new EngineError(
        'invalid-parameter',
        `error while looking up for ${name} ${wanted}: strconv.ParseUint: parsing "${wanted}": invalid syntax`,
      );
    }
    const first = Number(match[1]);
    return { first, last: Number(match[2] ?? first), protocol: match[3] ?? 'tcp' };
  });
}

function fitsPort(port: number, protocol: string, wanted: readonly PortRange[]): boolean {
  return wanted.some((range) => port >= range.first && port <= range.last && protocol === range.protocol);
}

async function summary(parts: Parts, record: ContainerRecord, size: boolean): Promise<object> {
  const sizeRw = size ? await parts.images.rootSize(record.id) : undefined;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: record.config.Image,
    ImageID: record.imageId,
    Command: commandOf(record.config).join(' '),
    Created: Math.floor(Date.parse(record.createdAt) / 1000),
    Ports: portList(parts, record),
    ...(sizeRw === undefined ? {} : { SizeRw: sizeRw, SizeRootFs: sizeRw }),
    Labels: record.config.Labels,
    State: record.state.status,
    Status: describeStatus({ ...record, health: healthOf(parts, record) }, Date.now()),
    HostConfig: { NetworkMode: record.hostConfig.NetworkMode },
    NetworkSettings: { Networks: networksView(record, parts.network.endpointsOf(record.id)) },
    Mounts: mountsView(record),
  };
}

interface PortView {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

/** Of what is up: nothing else has ports. */
function portList(parts: Parts, record: ContainerRecord): PortView[] {
  if (!isUp(record)) return [];
  const published = parts.network.portsOf(record.id);
  const list: PortView[] = published.map((port) => ({
    IP: port.hostIp,
    PrivatePort: port.containerPort,
    PublicPort: port.hostPort,
    Type: port.protocol,
  }));
  for (const key of Object.keys(record.config.ExposedPorts ?? {})) {
    const [number, protocol = 'tcp'] = key.split('/');
    const isPublished = published.some((port) => port.containerPort === Number(number) && port.protocol === protocol);
    if (!isPublished) list.push({ PrivatePort: Number(number), Type: protocol });
  }
  return list;
}

/** `Up 2 hours (Paused)`, `Up 5 seconds (health: starting)`, `Exited (0) 3 minutes ago`. */
export function describeStatus(
  { state, health }: { readonly state: ContainerRecord['state']; readonly health: Health | undefined },
  nowMs: number,
): string {
  const since = (time: string): string => describeDuration((nowMs - Date.parse(time)) / 1000);
  switch (state.status) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${since(state.startedAt)}${describeHealth(health)}`;
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    case 'exited':
      return happened(state.finishedAt) ? `Exited (${state.exitCode}) ${since(state.finishedAt)} ago` : 'Created';
  }
}

function describeHealth(health: Health | undefined): string {
  if (health === undefined) return '';
  return health.Status === 'starting' ? ' (health: starting)' : ` (${health.Status})`;
}

/** Docker's rough words for a span of time. */
export function describeDuration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.round(seconds / 3600);
  if (seconds < 1) return 'Less than a second';
  if (seconds < 2) return '1 second';
  if (seconds < 60) return `${Math.floor(seconds)} seconds`;
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(hours / 24 / 365)} years`;
}
