/** The run dialog's fields as typed, what is wrong with them, and the request they make. Pure. */
import type { ImageDetails, RunRequest } from '../../../src-main/contract/engine.ts';
import { checkContainerName } from '../containers/container-name.ts';
import { checkVolumeName } from '../volumes/volume-name.ts';
import { checkReference } from './reference.ts';
import { splitWords } from './split-words.ts';

export interface PortRow {
  readonly key: number;
  readonly containerPort: string;
  /** Empty: any free port. */
  readonly hostPort: string;
  readonly protocol: 'tcp' | 'udp';
  /** Absent: loopback. */
  readonly hostIp?: string;
}

export interface VariableRow {
  readonly key: number;
  readonly name: string;
  readonly value: string;
  /** As the image declares it: sent only when changed. */
  readonly declared?: string;
}

export interface VolumeRow {
  readonly key: number;
  /** Made when it is not there. */
  readonly name: string;
  readonly path: string;
  readonly readOnly: boolean;
}

export interface RunForm {
  readonly image: string;
  readonly name: string;
  readonly command: string;
  readonly ports: readonly PortRow[];
  readonly variables: readonly VariableRow[];
  readonly volumes: readonly VolumeRow[];
  /** Empty: the default one. */
  readonly network: string;
  readonly memory: string;
  readonly cpus: string;
  readonly pids: string;
  readonly restart: 'no' | 'always' | 'unless-stopped' | 'on-failure';
  readonly tty: boolean;
  readonly remove: boolean;
}

export type Problems = Readonly<Record<string, string>>;

let lastKey = 0;
export function nextKey(): number {
  lastKey += 1;
  return lastKey;
}

export function emptyForm(image: string): RunForm {
  return {
    image,
    name: '',
    command: '',
    ports: [],
    variables: [],
    volumes: [],
    network: '',
    memory: '',
    cpus: '',
    pids: '',
    restart: 'no',
    tty: false,
    remove: false,
  };
}

/** Ports and variables that the image declares, under those already typed. */
export function prefill(form: RunForm, details: ImageDetails): RunForm {
  const ports = details.exposedPorts.flatMap((text): PortRow[] => {
    const [containerPort = '', protocol] = text.split('/');
    if (form.ports.some((row) => row.containerPort === containerPort)) return [];
    return [{ key: nextKey(), containerPort, hostPort: '', protocol: protocol === 'udp' ? 'udp' : 'tcp' }];
  });
  const variables = details.environment.flatMap((text): VariableRow[] => {
    const at = text.indexOf('=');
    const name = at === -1 ? text : text.slice(0, at);
    const value = at === -1 ? '' : text.slice(at + 1);
    if (name === 'PATH' || form.variables.some((row) => row.name === name)) return [];
    return [{ key: nextKey(), name, value, declared: value }];
  });
  return { ...form, ports: [...form.ports, ...ports], variables: [...form.variables, ...variables] };
}

/** Problems by field: `name`, `memory`, `port-3`, `variable-5`… Empty when the form can be sent. */
export function findProblems(form: RunForm): Problems {
  const problems: Record<string, string> = {};
  const add = (field: string, problem: string | undefined) => {
    if (problem !== undefined) problems[field] = problem;
  };
  add('image', /^sha256:[a-f0-9]{64}$/.test(form.image) ? undefined : checkReference(form.image.trim()));
  add('name', checkContainerName(form.name.trim()));
  add('command', splitWords(form.command).problem);
  add('memory', checkMemory(form.memory));
  add('cpus', checkNumber(form.cpus, 0.01, 1024, 'CPUs'));
  add('pids', checkNumber(form.pids, 1, 4_194_304, 'processes', true));
  if (form.remove && form.restart !== 'no') {
    problems['restart'] = 'A container that is removed when it stops cannot be restarted.';
  }
  findPortProblems(form.ports, problems);
  for (const row of form.volumes) add(`volume-${row.key}`, checkVolume(row, form.volumes));
  for (const row of form.variables) {
    if (row.name.trim() === '' && row.value !== '') problems[`variable-${row.key}`] = 'A variable needs a name.';
    else if (row.name.includes('=')) problems[`variable-${row.key}`] = 'The name of a variable holds no =.';
  }
  return problems;
}

function findPortProblems(rows: readonly PortRow[], problems: Record<string, string>): void {
  const taken = new Map<string, number>();
  for (const row of rows) {
    const field = `port-${row.key}`;
    if (row.containerPort === '' && row.hostPort === '') continue;
    if (!isPort(row.containerPort)) problems[field] = 'The port in the container is a number from 1 to 65535.';
    else if (row.hostPort !== '' && !isPort(row.hostPort)) {
      problems[field] = 'The port on this computer is a number from 1 to 65535, or empty for any free one.';
    } else if (row.hostPort !== '') {
      const key = `${row.hostPort}/${row.protocol}`;
      if (taken.has(key)) problems[field] = `Port ${row.hostPort} on this computer is used twice.`;
      taken.set(key, row.key);
    }
  }
}

function checkVolume(row: VolumeRow, rows: readonly VolumeRow[]): string | undefined {
  const [name, path] = [row.name.trim(), row.path.trim()];
  if (name === '' && path === '') return undefined;
  if (name === '') return 'A volume needs a name.';
  const problem = checkVolumeName(name);
  if (problem !== undefined) return problem;
  if (!/^\/[^\0]*[^/\0]/.test(path)) return 'Where it goes in the container is a path such as /data.';
  const isTwin = (other: VolumeRow) => other.key < row.key && other.path.trim() === path;
  return rows.some(isTwin) ? `Two volumes cannot both be at ${path}.` : undefined;
}

export function toRequest(form: RunForm): RunRequest {
  const command = splitWords(form.command).words;
  const memoryBytes = parseMemory(form.memory);
  const environment = form.variables
    .filter(({ name, value, declared }) => name.trim() !== '' && value !== declared)
    .map(({ name, value }) => `${name.trim()}=${value}`);
  const ports = form.ports
    .filter(({ containerPort }) => containerPort !== '')
    .map(({ containerPort, hostPort, protocol }) => ({
      containerPort: Number(containerPort),
      protocol,
      hostPort: hostPort === '' ? 0 : Number(hostPort),
    }));
  const volumes = form.volumes
    .filter(({ name }) => name.trim() !== '')
    .map(({ name, path, readOnly }) => ({ name: name.trim(), path: path.trim(), readOnly }));
  return {
    image: form.image.trim(),
    ...(form.name.trim() === '' ? {} : { name: form.name.trim() }),
    ...(command.length === 0 ? {} : { command }),
    ...(environment.length === 0 ? {} : { environment }),
    ...(ports.length === 0 ? {} : { ports }),
    ...(volumes.length === 0 ? {} : { volumes }),
    ...(form.network === '' ? {} : { network: form.network }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(form.cpus.trim() === '' ? {} : { cpus: Number(form.cpus) }),
    ...(form.pids.trim() === '' ? {} : { pidsLimit: Number(form.pids) }),
    ...(form.restart === 'no' ? {} : { restartPolicy: form.restart }),
    ...(form.tty ? { tty: true } : {}),
    ...(form.remove ? { removeWhenStopped: true } : {}),
  };
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

const memoryUnits: Readonly<Record<string, number>> = { '': 1024 ** 2, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
const minMemory = 6 * 1024 ** 2;

/** `512`, `512m`, `1.5 GiB` in bytes; a bare number is MiB. */
export function parseMemory(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(text.trim());
  if (!match) return undefined;
  return Math.round(Number(match[1]) * (memoryUnits[match[2]?.toLowerCase() ?? ''] ?? 1));
}

function checkMemory(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  const bytes = parseMemory(text);
  if (bytes === undefined) return 'A size such as 256m or 1.5g.';
  return bytes < minMemory ? 'At least 6m; less cannot start anything.' : undefined;
}

function checkNumber(text: string, min: number, max: number, what: string, whole = false): string | undefined {
  if (text.trim() === '') return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < min || value > max || (whole && !Number.isInteger(value))) {
    return `A ${whole ? 'whole ' : ''}number of ${what} from ${min} to ${max}.`;
  }
  return undefined;
}
