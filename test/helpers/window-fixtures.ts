/** The fake host's engine: containers and images in memory, in the contract's view types. */
import { AppError } from '../../src-main/contract/errors.ts';
import type {
  ContainerDetails,
  ContainerView,
  ProcessList,
  EngineEvent,
  ImageView,
  RunRequest,
} from '../../src-main/contract/engine.ts';
import type { NetworkMember, NetworkView } from '../../src-main/contract/networks.ts';
import type { VolumeView } from '../../src-main/contract/volumes.ts';

const minute = 60_000;
const hour = 60 * minute;

function hexId(seed: number): string {
  let state = (seed * 2654435761) >>> 0;
  let id = '';
  while (id.length < 64) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    id += state.toString(16).padStart(8, '0');
  }
  return id.slice(0, 64);
}

function container(seed: number, values: Partial<ContainerView>): ContainerView {
  return {
    id: hexId(seed),
    name: `container-${seed}`,
    image: 'nginx:1.29',
    imageId: `sha256:${hexId(9001)}`,
    command: 'nginx -g daemon off;',
    state: 'running',
    status: 'Up 3 minutes',
    createdAtMs: Date.now() - seed * 7 * minute,
    ports: [],
    labels: {},
    ...values,
  };
}

export function image(seed: number, values: Partial<ImageView>): ImageView {
  return {
    id: `sha256:${hexId(seed)}`,
    tags: [],
    digests: [],
    sizeBytes: 80_000_000,
    createdAtMs: Date.now() - seed * 3 * hour,
    usedBy: [],
    ...values,
  };
}

const tcp = (containerPort: number, hostPort?: number) =>
  ({ containerPort, protocol: 'tcp', ...(hostPort === undefined ? {} : { hostPort, hostIp: '127.0.0.1' }) }) as const;

export function usualContainers(): ContainerView[] {
  return [
    container(1, { name: 'web', ports: [tcp(80, 8080)], status: 'Up 3 hours' }),
    container(2, {
      name: 'orders-db',
      image: 'postgres:17',
      imageId: `sha256:${hexId(9002)}`,
      ports: [tcp(5432, 5432)],
      status: 'Up 3 hours',
    }),
    container(3, {
      name: 'cache',
      image: 'redis:8-alpine',
      imageId: `sha256:${hexId(9003)}`,
      ports: [tcp(6379)],
      status: 'Up 26 hours',
    }),
    container(4, {
      name: 'worker',
      image: 'registry.example.org/shop/worker:2026.11.4',
      state: 'paused',
      status: 'Up 2 hours (Paused)',
    }),
    container(5, {
      name: 'migrate',
      image: 'registry.example.org/shop/worker:2026.11.4',
      state: 'exited',
      status: 'Exited (0) 3 hours ago',
    }),
    container(6, {
      name: 'mailer',
      image: 'registry.example.org/shop/mailer:dev',
      state: 'exited',
      status: 'Exited (137) 12 minutes ago',
    }),
    container(7, {
      name: 'metrics',
      image: 'prom/prometheus:v3.5.0',
      ports: [tcp(9090, 9090), tcp(9093, 9093), tcp(9100)],
      state: 'restarting',
      status: 'Restarting (1) 8 seconds ago',
    }),
    container(8, { name: 'scratchpad', image: 'debian:trixie-slim', state: 'created', status: 'Created' }),
  ];
}

/** Two compose projects, with health checks, beside the usual containers. */
export function composeContainers(): ContainerView[] {
  const service = (seed: number, project: string, name: string, values: Partial<ContainerView>) =>
    container(seed, {
      name: `${project}-${name}-1`,
      labels: { 'com.docker.compose.project': project, 'com.docker.compose.service': name },
      ...values,
    });
  return [
    ...usualContainers(),
    service(31, 'shop', 'api', { status: 'Up 2 hours (healthy)', health: 'healthy', ports: [tcp(8080, 8081)] }),
    service(32, 'shop', 'db', { image: 'postgres:17', status: 'Up 2 hours (unhealthy)', health: 'unhealthy' }),
    service(33, 'shop', 'mail', { state: 'exited', status: 'Exited (0) 2 hours ago' }),
    service(34, 'blog', 'web', { status: 'Up 4 seconds (health: starting)', health: 'starting' }),
  ];
}

/** Names that try to be markup, colour, reading direction and length. */
export function hostileContainers(): ContainerView[] {
  return [
    container(21, { name: '<img src=x onerror="window.hacked=1">', image: '<script>window.hacked=1</script>' }),
    container(22, { name: '\u202egnp.exe', image: 'مرحبا/بالعالم:أحدث', status: 'Up \u001b[31m3 hours' }),
    container(23, { name: 'x'.repeat(100_000), image: 'y'.repeat(100_000), status: 'z'.repeat(100_000) }),
    container(24, { name: 'tabs\tand\nlines\u0000', image: '🐳🚣‍♀️ 日本語 한국어:latest' }),
  ];
}

export function manyContainers(count: number): ContainerView[] {
  return Array.from({ length: count }, (_, index) =>
    container(1000 + index, {
      name: `service-${String(index).padStart(3, '0')}`,
      state: index % 4 === 3 ? 'exited' : 'running',
      status: index % 4 === 3 ? 'Exited (0) 2 hours ago' : 'Up 12 minutes',
      ports: index % 5 === 0 ? [tcp(80, 20_000 + index)] : [],
    }),
  );
}

export function usualImages(): ImageView[] {
  return [
    image(9000, { tags: ['wherry/starter:latest'], sizeBytes: 1_870_000, sharedBytes: 0 }),
    image(9001, {
      tags: ['nginx:1.29', 'nginx:latest'],
      sizeBytes: 192_400_000,
      sharedBytes: 78_600_000,
      usedBy: ['web'],
    }),
    image(9002, { tags: ['postgres:17'], sizeBytes: 438_000_000, usedBy: ['orders-db'] }),
    image(9003, { tags: ['redis:8-alpine'], sizeBytes: 61_300_000, usedBy: ['cache'] }),
    image(9004, {
      tags: ['registry.example.org/shop/worker:2026.11.4'],
      sizeBytes: 1_240_000_000,
      sharedBytes: 1_180_000_000,
      usedBy: ['worker', 'migrate'],
    }),
    image(9005, { tags: ['debian:trixie-slim'], sizeBytes: 78_900_000, usedBy: ['scratchpad'] }),
    image(9006, { sizeBytes: 1_239_000_000, sharedBytes: 1_180_000_000 }),
  ];
}

export function usualVolumes(containers: readonly ContainerView[]): VolumeView[] {
  const volume = (name: string, days: number, users: Readonly<Record<string, string>> = {}): VolumeView => ({
    name,
    driver: 'local',
    mountpoint: `/var/lib/wherry/volumes/${name}/_data`,
    createdAtMs: Date.now() - days * 24 * hour,
    labels: name.includes('_') ? { 'com.docker.compose.project': name.split('_')[0] ?? '' } : {},
    anonymous: name.length === 64,
    usedBy: containers.flatMap(({ id, name: user, state }) => {
      const path = users[user];
      return path === undefined ? [] : [{ id, name: user, state, path, readOnly: user === 'worker' }];
    }),
  });
  return [
    volume('orders_data', 31, { 'orders-db': '/var/lib/postgresql/data' }),
    volume('web-data', 12, { web: '/usr/share/nginx/html', worker: '/srv/site' }),
    volume('shop_uploads', 9, { mailer: '/uploads' }),
    volume('old_backup', 210),
    volume('npm-cache', 3),
    volume(hexId(71), 5),
    volume(hexId(72), 2, { metrics: '/prometheus' }),
  ];
}

export function usualNetworks(containers: readonly ContainerView[]): NetworkView[] {
  const network = (seed: number, name: string, third: number, names: readonly string[]): NetworkView => ({
    id: hexId(seed),
    name,
    driver: name === 'host' ? 'host' : name === 'none' ? 'null' : 'bridge',
    internal: name === 'shop_back',
    ipv6: name === 'shop_front',
    builtIn: ['bridge', 'host', 'none'].includes(name),
    createdAtMs: Date.now() - seed * 2 * hour,
    subnets: [
      ...(third === 0 ? [] : [{ subnet: `172.${third}.0.0/16`, gateway: `172.${third}.0.1` }]),
      ...(name === 'shop_front' ? [{ subnet: 'fd12:3456:789a::/64', gateway: 'fd12:3456:789a::1' }] : []),
    ],
    labels: name.includes('_') ? { 'com.docker.compose.project': name.split('_')[0] ?? '' } : {},
    options: {},
    members: names.flatMap((wanted, index): NetworkMember[] => {
      const found = containers.find((view) => view.name === wanted);
      if (!found) return [];
      const up = found.state === 'running' || found.state === 'paused';
      return [
        {
          id: found.id,
          name: found.name,
          state: found.state,
          ipAddress: up ? `172.${third}.0.${index + 2}` : '',
          ip6Address: up && name === 'shop_front' ? `fd12:3456:789a::${index + 2}` : '',
          macAddress: up ? `02:42:ac:${third}:00:0${index + 2}` : '',
          aliases: name.includes('_') ? [wanted] : [],
        },
      ];
    }),
  });
  return [
    network(81, 'bridge', 17, ['scratchpad', 'metrics']),
    network(82, 'host', 0, []),
    network(83, 'none', 0, []),
    network(84, 'shop_front', 18, ['web', 'worker', 'mailer']),
    network(85, 'shop_back', 19, ['web', 'worker', 'orders-db', 'cache', 'migrate']),
    network(86, 'empty-net', 20, []),
  ];
}

export function usualEvents(): EngineEvent[] {
  const now = Date.now();
  const event = (minutes: number, type: string, action: string, id: string, attributes: Record<string, string>) => ({
    type,
    action,
    actorId: id,
    attributes,
    timeNano: (now - minutes * minute) * 1e6,
  });
  return [
    event(190, 'image', 'pull', 'nginx:1.29', { name: 'nginx:1.29' }),
    event(182, 'network', 'create', hexId(84), { name: 'shop_front', type: 'bridge' }),
    event(181, 'volume', 'create', 'web-data', { driver: 'local' }),
    event(181, 'container', 'create', hexId(1), { name: 'web', image: 'nginx:1.29' }),
    event(180, 'container', 'start', hexId(1), { name: 'web', image: 'nginx:1.29' }),
    event(12, 'container', 'oom', hexId(6), { name: 'mailer', image: 'registry.example.org/shop/mailer:dev' }),
    event(12, 'container', 'die', hexId(6), { name: 'mailer', exitCode: '137' }),
  ];
}

export function detailsOf(view: ContainerView): ContainerDetails {
  const code = /\((-?\d+)\)/.exec(view.status)?.[1];
  const running = view.state === 'running' || view.state === 'paused';
  const environment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', 'NGINX_VERSION=1.29.3', 'TZ=UTC'];
  const ports = Object.fromEntries(
    view.ports.map((port) => [
      `${port.containerPort}/${port.protocol}`,
      port.hostPort === undefined ? null : [{ HostIp: port.hostIp ?? '', HostPort: String(port.hostPort) }],
    ]),
  );
  return {
    ...view,
    exitCode: code === undefined ? 0 : Number(code),
    oomKilled: code === '137',
    error: '',
    startedAtMs: view.state === 'created' ? 0 : view.createdAtMs + 900,
    finishedAtMs: running ? 0 : Date.now() - 12 * minute,
    tty: false,
    environment,
    workingFolder: '/',
    user: '',
    restartPolicy: 'unless-stopped',
    editable: {
      command: ['nginx', '-g', 'daemon off;'],
      environment,
      ports: view.ports.flatMap(({ containerPort, protocol, hostPort, hostIp = '' }) =>
        hostPort === undefined ? [] : [{ containerPort, protocol, hostPort, hostIp }],
      ),
      mounts: [{ type: 'volume', source: 'web-data', target: '/usr/share/nginx/html', readOnly: false }],
      memoryBytes: 268_435_456,
      cpus: 1.5,
      pidsLimit: 256,
      restartPolicy: 'unless-stopped',
    },
    ipAddress: running ? '172.17.0.2' : '',
    raw: {
      Id: view.id,
      Name: `/${view.name}`,
      Created: new Date(view.createdAtMs).toISOString(),
      Path: 'nginx',
      Args: ['-g', 'daemon off;'],
      State: { Status: view.state, Running: running, Pid: running ? 4211 : 0, ExitCode: Number(code ?? 0), Error: '' },
      Image: view.imageId,
      HostConfig: {
        Memory: 268_435_456,
        NanoCpus: 1_500_000_000,
        PidsLimit: 256,
        RestartPolicy: { Name: 'unless-stopped', MaximumRetryCount: 0 },
        Binds: null,
        Privileged: false,
      },
      Mounts: [{ Type: 'volume', Name: 'web-data', Destination: '/usr/share/nginx/html', RW: true }],
      Config: { Hostname: view.id.slice(0, 12), Env: environment, Labels: view.labels, Tty: false },
      NetworkSettings: { IPAddress: running ? '172.17.0.2' : '', Ports: ports },
    },
  };
}

export function containerOf(request: RunRequest, imageId: string, taken: ReadonlySet<string>): ContainerView {
  const seed = Math.floor(Math.random() * 1e9);
  const name = request.name ?? `brave_wherry_${seed % 1000}`;
  if (taken.has(name)) {
    throw new AppError('conflict', `create ${name}: the name is already in use by another container`, {
      hint: 'Choose another name, or remove the other container.',
      status: 409,
    });
  }
  const busy = request.ports?.find(({ hostPort }) => hostPort === 5432);
  if (busy) {
    throw new AppError('port-taken', `start ${name}: port 127.0.0.1:5432 is already allocated by orders-db`, {
      hint: 'Choose another port on this computer.',
    });
  }
  return container(seed, {
    name,
    image: request.image,
    imageId,
    command: request.command?.join(' ') ?? '',
    createdAtMs: Date.now(),
    status: 'Up Less than a second',
    ports: (request.ports ?? []).map((port, index) => ({
      containerPort: port.containerPort,
      protocol: port.protocol,
      hostIp: port.hostIp ?? '127.0.0.1',
      hostPort: port.hostPort === undefined || port.hostPort === 0 ? 32_768 + index : port.hostPort,
    })),
  });
}

export function processesOf(view: ContainerView): ProcessList {
  const cells = (pid: number, cpu: string, command: string) =>
    ['root', String(pid), cpu, '12044', '7480', '?', 'S', '09:12', '0:01', command] as const;
  return {
    titles: ['USER', 'PID', '%CPU', 'VSZ', 'RSS', 'TTY', 'STAT', 'START', 'TIME', 'COMMAND'],
    rows: [
      cells(4211, '0.4', view.command.slice(0, 200)),
      cells(4240, '2.1', 'nginx: worker process'),
      cells(4241, '0.0', 'sh -c <img src=x onerror="window.hacked=1"> \u202egnp'),
    ],
  };
}
