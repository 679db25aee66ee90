/**
 * The `docker run` that would make a container like this one, from the engine's inspect answer. What the image sets by
 * itself, and what is the default, is left out. Pure.
 */
import { quoteWord } from './shell-quote.ts';
import { at, entriesAt, listAt, numberAt, textAt, textsAt } from './unknown-json.ts';

/** What the image brings; absent when the image is gone: then everything is said. */
export interface ImageDefaults {
  readonly environment: readonly string[];
  readonly command: readonly string[];
  readonly entrypoint: readonly string[];
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly user: string;
  readonly workingFolder: string;
}

const noDefaults: ImageDefaults = {
  environment: [],
  command: [],
  entrypoint: [],
  exposedPorts: [],
  volumes: [],
  user: '',
  workingFolder: '',
};

/** On several lines, each option on its own, ready to paste. */
export function dockerRunCommand(raw: unknown, image: ImageDefaults = noDefaults): string {
  const { entrypoint, command } = programOf(raw, image);
  const options = [
    ...identityOptions(raw, image),
    ...networkOptions(raw, image),
    ...mountOptions(raw, image),
    ...limitOptions(raw),
    ...rightsOptions(raw),
    ...lifeOptions(raw),
    ...entrypoint,
  ];
  const last = [textAt(raw, 'Config', 'Image'), ...command].map(quoteWord).join(' ');
  const lines = options.map((words) => words.map(quoteWord).join(' '));
  return [`docker run ${modeOf(raw)}`, ...lines, last].join(' \\\n  ');
}

type Option = readonly string[];

function modeOf(raw: unknown): string {
  const interactive = at(raw, 'Config', 'OpenStdin') === true ? 'i' : '';
  const terminal = at(raw, 'Config', 'Tty') === true ? 't' : '';
  return `-d${interactive}${terminal}`;
}

/** `--entrypoint` takes one word; the rest of it goes before the command. */
function programOf(raw: unknown, image: ImageDefaults): { entrypoint: readonly Option[]; command: readonly string[] } {
  const entrypoint = textsAt(raw, 'Config', 'Entrypoint');
  const command = textsAt(raw, 'Config', 'Cmd');
  if (!same(entrypoint, image.entrypoint)) {
    return { entrypoint: [['--entrypoint', entrypoint[0] ?? '']], command: [...entrypoint.slice(1), ...command] };
  }
  return { entrypoint: [], command: same(command, image.command) ? [] : command };
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, index) => word === b[index]);
}

function identityOptions(raw: unknown, image: ImageDefaults): readonly Option[] {
  const config = at(raw, 'Config');
  const hostname = textAt(config, 'Hostname');
  const ownHostname = textAt(raw, 'Id').startsWith(hostname) ? '' : hostname;
  const user = textAt(config, 'User');
  const folder = textAt(config, 'WorkingDir');
  const given = new Set(image.environment);
  return [
    ...one('--name', textAt(raw, 'Name').replace(/^\//, '')),
    ...one('--hostname', ownHostname),
    ...one('--domainname', textAt(config, 'Domainname')),
    ...one('--user', user === image.user ? '' : user),
    ...one('--workdir', folder === image.workingFolder ? '' : folder),
    ...many(
      '--env',
      textsAt(config, 'Env').filter((entry) => !given.has(entry)),
    ),
    ...many('--label', pairs(config, 'Labels')),
  ];
}

function networkOptions(raw: unknown, image: ImageDefaults): readonly Option[] {
  const config = at(raw, 'HostConfig');
  const mode = textAt(config, 'NetworkMode');
  const published = entriesAt(config, 'PortBindings').flatMap(([port, bindings]) =>
    (Array.isArray(bindings) ? bindings : []).map((binding) => publish(port, binding)),
  );
  const bound = new Set(entriesAt(config, 'PortBindings').map(([port]) => port));
  const exposed = entriesAt(raw, 'Config', 'ExposedPorts').map(([port]) => port);
  const endpoint = at(raw, 'NetworkSettings', 'Networks', mode);
  return [
    ...one('--network', ['', 'default', 'bridge'].includes(mode) ? '' : mode),
    ...many(
      '--network-alias',
      textsAt(endpoint, 'Aliases').filter((alias) => !textAt(raw, 'Id').startsWith(alias)),
    ),
    ...one('--ip', textAt(endpoint, 'IPAMConfig', 'IPv4Address')),
    ...many('--publish', published),
    ...flag('--publish-all', at(config, 'PublishAllPorts')),
    ...many(
      '--expose',
      exposed.filter((port) => !bound.has(port) && !image.exposedPorts.includes(port)),
    ),
    ...many('--dns', textsAt(config, 'Dns')),
    ...many('--dns-option', textsAt(config, 'DnsOptions')),
    ...many('--dns-search', textsAt(config, 'DnsSearch')),
    ...many('--add-host', textsAt(config, 'ExtraHosts')),
    ...many('--link', textsAt(config, 'Links').map(shortLink)),
  ];
}

/** `127.0.0.1:8080:80`, `[::1]:8080:80`, `127.0.0.1::80`, `53:53/udp`. */
function publish(port: string, binding: unknown): string {
  const hostIp = textAt(binding, 'HostIp');
  const hostPort = textAt(binding, 'HostPort');
  const inside = port.replace(/\/tcp$/, '');
  const ip = hostIp.includes(':') ? `[${hostIp}]` : hostIp;
  if (ip !== '') return `${ip}:${hostPort}:${inside}`;
  return hostPort === '' ? inside : `${hostPort}:${inside}`;
}

/** Inspect writes `/db:/web/database`, the option wants `db:database`. */
function shortLink(link: string): string {
  const [from = '', to = ''] = link.split(':');
  return `${from.replace(/^\//, '')}:${to.split('/').at(-1) ?? ''}`;
}

function mountOptions(raw: unknown, image: ImageDefaults): readonly Option[] {
  const config = at(raw, 'HostConfig');
  const binds = textsAt(config, 'Binds');
  const mounts = listAt(config, 'Mounts');
  const taken = new Set([...binds.map(bindTarget), ...mounts.map((mount) => textAt(mount, 'Target'))]);
  const anonymous = entriesAt(raw, 'Config', 'Volumes').map(([target]) => target);
  return [
    ...many('--volume', binds),
    ...many('--mount', mounts.map(mountWords)),
    ...many(
      '--volume',
      anonymous.filter((target) => !taken.has(target) && !image.volumes.includes(target)),
    ),
    ...many('--volumes-from', textsAt(config, 'VolumesFrom')),
    ...many(
      '--tmpfs',
      entriesAt(config, 'Tmpfs').map(([target, options]) =>
        typeof options === 'string' && options !== '' ? `${target}:${options}` : target,
      ),
    ),
  ];
}

function bindTarget(bind: string): string {
  return bind.split(':')[1] ?? bind;
}

/** The option is a line of CSV: what holds a comma or a quote is quoted once more. */
function mountWords(mount: unknown): string {
  const fields = [
    `type=${textAt(mount, 'Type')}`,
    ...(textAt(mount, 'Source') === '' ? [] : [`source=${textAt(mount, 'Source')}`]),
    `target=${textAt(mount, 'Target')}`,
    ...(at(mount, 'ReadOnly') === true ? ['readonly'] : []),
    ...(at(mount, 'VolumeOptions', 'NoCopy') === true ? ['volume-nocopy'] : []),
    ...(textAt(mount, 'VolumeOptions', 'Subpath') === ''
      ? []
      : [`volume-subpath=${textAt(mount, 'VolumeOptions', 'Subpath')}`]),
    ...(textAt(mount, 'BindOptions', 'Propagation') === ''
      ? []
      : [`bind-propagation=${textAt(mount, 'BindOptions', 'Propagation')}`]),
    ...(numberAt(mount, 'TmpfsOptions', 'SizeBytes') > 0
      ? [`tmpfs-size=${numberAt(mount, 'TmpfsOptions', 'SizeBytes')}`]
      : []),
  ];
  return fields.map((field) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
}

function limitOptions(raw: unknown): readonly Option[] {
  const config = at(raw, 'HostConfig');
  const size = (name: string) => {
    const bytes = numberAt(config, name);
    return bytes === 0 ? '' : String(bytes);
  };
  const nano = numberAt(config, 'NanoCpus');
  const memory = numberAt(config, 'Memory');
  const swap = numberAt(config, 'MemorySwap');
  const shm = numberAt(config, 'ShmSize');
  const pids = numberAt(config, 'PidsLimit');
  return [
    ...one('--memory', size('Memory')),
    ...one('--memory-reservation', size('MemoryReservation')),
    // Twice the memory is what the engine sets by itself.
    ...one('--memory-swap', swap === 0 || (memory > 0 && swap === memory * 2) ? '' : String(swap)),
    ...one('--cpus', nano > 0 ? String(nano / 1e9) : ''),
    ...one('--cpu-shares', size('CpuShares')),
    ...one('--cpu-period', size('CpuPeriod')),
    ...one('--cpu-quota', size('CpuQuota')),
    ...one('--cpuset-cpus', textAt(config, 'CpusetCpus')),
    ...one('--cpuset-mems', textAt(config, 'CpusetMems')),
    ...one('--blkio-weight', size('BlkioWeight')),
    ...one('--pids-limit', pids > 0 ? String(pids) : ''),
    ...one('--shm-size', shm === 0 || shm === 67_108_864 ? '' : String(shm)),
    ...many(
      '--ulimit',
      listAt(config, 'Ulimits').map(
        (limit) => `${textAt(limit, 'Name')}=${numberAt(limit, 'Soft')}:${numberAt(limit, 'Hard')}`,
      ),
    ),
    ...one('--oom-score-adj', size('OomScoreAdj')),
  ];
}

function rightsOptions(raw: unknown): readonly Option[] {
  const config = at(raw, 'HostConfig');
  const space = (name: string, defaults: readonly string[]) => {
    const mode = textAt(config, name);
    return defaults.includes(mode) ? '' : mode;
  };
  return [
    ...flag('--privileged', at(config, 'Privileged')),
    ...flag('--read-only', at(config, 'ReadonlyRootfs')),
    ...many('--cap-add', textsAt(config, 'CapAdd')),
    ...many('--cap-drop', textsAt(config, 'CapDrop')),
    ...many('--security-opt', textsAt(config, 'SecurityOpt')),
    ...many('--group-add', textsAt(config, 'GroupAdd')),
    ...many('--device', listAt(config, 'Devices').map(deviceWords)),
    ...many('--device-cgroup-rule', textsAt(config, 'DeviceCgroupRules')),
    ...many('--sysctl', pairs(config, 'Sysctls')),
    ...one('--pid', space('PidMode', [''])),
    ...one('--ipc', space('IpcMode', ['', 'private'])),
    ...one('--uts', space('UTSMode', [''])),
    ...one('--userns', space('UsernsMode', [''])),
    ...one('--cgroupns', space('CgroupnsMode', ['', 'private'])),
  ];
}

function deviceWords(device: unknown): string {
  const [host, inside] = [textAt(device, 'PathOnHost'), textAt(device, 'PathInContainer')];
  const rights = textAt(device, 'CgroupPermissions');
  const named = rights === '' || rights === 'rwm' ? '' : `:${rights}`;
  return host === inside && named === '' ? host : `${host}:${inside}${named}`;
}

function lifeOptions(raw: unknown): readonly Option[] {
  const config = at(raw, 'HostConfig');
  const policy = textAt(config, 'RestartPolicy', 'Name');
  const retries = numberAt(config, 'RestartPolicy', 'MaximumRetryCount');
  const signal = textAt(raw, 'Config', 'StopSignal');
  const log = textAt(config, 'LogConfig', 'Type');
  return [
    ...one('--restart', policy === '' || policy === 'no' ? '' : retries > 0 ? `${policy}:${retries}` : policy),
    ...flag('--rm', at(config, 'AutoRemove')),
    ...flag('--init', at(config, 'Init')),
    ...one('--stop-signal', signal === 'SIGTERM' ? '' : signal),
    ...one(
      '--stop-timeout',
      numberAt(raw, 'Config', 'StopTimeout') > 0 ? String(numberAt(raw, 'Config', 'StopTimeout')) : '',
    ),
    ...one('--log-driver', log === 'json-file' ? '' : log),
    ...many('--log-opt', pairs(config, 'LogConfig', 'Config')),
    ...healthOptions(at(raw, 'Config', 'Healthcheck')),
  ];
}

function healthOptions(check: unknown): readonly Option[] {
  const [kind, ...words] = textsAt(check, 'Test');
  if (kind === 'NONE') return [['--no-healthcheck']];
  if (kind !== 'CMD' && kind !== 'CMD-SHELL') return [];
  const seconds = (name: string) => {
    const nano = numberAt(check, name);
    return nano > 0 ? `${nano / 1e9}s` : '';
  };
  const retries = numberAt(check, 'Retries');
  return [
    // The option is always run by a shell.
    ['--health-cmd', kind === 'CMD' ? words.map(quoteWord).join(' ') : (words[0] ?? '')],
    ...one('--health-interval', seconds('Interval')),
    ...one('--health-timeout', seconds('Timeout')),
    ...one('--health-start-period', seconds('StartPeriod')),
    ...one('--health-retries', retries > 0 ? String(retries) : ''),
  ];
}

function one(option: string, value: string): readonly Option[] {
  return value === '' ? [] : [[option, value]];
}

function many(option: string, values: readonly string[]): readonly Option[] {
  return values.map((value) => [option, value]);
}

function flag(option: string, value: unknown): readonly Option[] {
  return value === true ? [[option]] : [];
}

function pairs(value: unknown, ...path: readonly string[]): readonly string[] {
  return entriesAt(value, ...path).map(([key, entry]) => `${key}=${typeof entry === 'string' ? entry : ''}`);
}
