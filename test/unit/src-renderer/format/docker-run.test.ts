import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { dockerRunCommand, type ImageDefaults } from '../../../../src-renderer/format/docker-run.ts';
import { quoteWord } from '../../../../src-renderer/format/shell-quote.ts';

const image: ImageDefaults = {
  environment: ['PATH=/usr/bin', 'VERSION=1'],
  command: ['nginx', '-g', 'daemon off;'],
  entrypoint: ['/entry.sh'],
  exposedPorts: ['80/tcp'],
  volumes: ['/data'],
  user: 'web',
  workingFolder: '/srv',
};

function raw(config: object = {}, hostConfig: object = {}, rest: object = {}): unknown {
  return {
    Id: 'abcdef0123456789',
    Name: '/web',
    Config: {
      Image: 'nginx:1.29',
      Hostname: 'abcdef012345',
      Env: image.environment,
      Cmd: image.command,
      Entrypoint: image.entrypoint,
      ExposedPorts: { '80/tcp': {} },
      Volumes: { '/data': {} },
      User: 'web',
      WorkingDir: '/srv',
      StopSignal: 'SIGTERM',
      ...config,
    },
    HostConfig: {
      NetworkMode: 'default',
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
      ShmSize: 67_108_864,
      IpcMode: 'private',
      LogConfig: { Type: 'json-file', Config: {} },
      ...hostConfig,
    },
    ...rest,
  };
}

/** The words between the mode and the image. */
function options(value: unknown, defaults: ImageDefaults | undefined = image): readonly string[] {
  return dockerRunCommand(value, defaults).split(' \\\n  ').slice(1, -1);
}

function tail(value: unknown): string {
  return dockerRunCommand(value, image).split(' \\\n  ').at(-1) ?? '';
}

test('what the image and the engine set by themselves is left out', () => {
  assert.equal(dockerRunCommand(raw(), image), 'docker run -d \\\n  --name web \\\n  nginx:1.29');
});

test('without the image everything is said', () => {
  const command = dockerRunCommand(raw());
  assert.match(command, /--env PATH=\/usr\/bin/);
  assert.match(command, /--entrypoint \/entry\.sh/);
  assert.match(command, /nginx:1\.29 nginx -g 'daemon off;'$/);
});

const cases: readonly [what: string, config: object, hostConfig: object, wanted: readonly string[]][] = [
  ['environment', { Env: ['PATH=/usr/bin', 'VERSION=2', 'A=b c'] }, {}, ['--env VERSION=2', `--env 'A=b c'`]],
  ['labels', { Labels: { 'a.b': 'c d' } }, {}, [`--label 'a.b=c d'`]],
  ['own host name', { Hostname: 'box', Domainname: 'lan' }, {}, ['--hostname box', '--domainname lan']],
  ['user and folder', { User: '', WorkingDir: '/' }, {}, ['--workdir /']],
  ['another user', { User: '1000:1000' }, {}, ['--user 1000:1000']],
  [
    'ports',
    {},
    {
      PortBindings: {
        '80/tcp': [
          { HostIp: '127.0.0.1', HostPort: '8080' },
          { HostIp: '::1', HostPort: '8080' },
        ],
        '53/udp': [{ HostIp: '', HostPort: '53' }],
        '81/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }],
        '82/tcp': [{ HostIp: '', HostPort: '' }],
      },
    },
    [
      '--publish 127.0.0.1:8080:80',
      `--publish '[::1]:8080:80'`,
      '--publish 53:53/udp',
      '--publish 127.0.0.1::81',
      '--publish 82',
    ],
  ],
  ['exposed', { ExposedPorts: { '80/tcp': {}, '9/udp': {} } }, {}, ['--expose 9/udp']],
  ['network', {}, { NetworkMode: 'shop' }, ['--network shop']],
  ['another’s network', {}, { NetworkMode: 'container:db' }, ['--network container:db']],
  [
    'volumes',
    {},
    { Binds: ['data:/data:ro', '/my files:/in'] },
    ['--volume data:/data:ro', `--volume '/my files:/in'`],
  ],
  ['an anonymous volume', { Volumes: { '/data': {}, '/more': {} } }, {}, ['--volume /more']],
  [
    'mounts',
    {},
    { Mounts: [{ Type: 'bind', Source: '/a,b', Target: '/c', ReadOnly: true }] },
    [`--mount 'type=bind,"source=/a,b",target=/c,readonly'`],
  ],
  ['tmpfs', {}, { Tmpfs: { '/run': 'size=1m', '/tmp': '' } }, ['--tmpfs /run:size=1m', '--tmpfs /tmp']],
  [
    'limits',
    {},
    { Memory: 1000, MemorySwap: 2000, NanoCpus: 1.5e9, PidsLimit: 9, CpusetCpus: '0-1', ShmSize: 5 },
    ['--memory 1000', '--cpus 1.5', '--cpuset-cpus 0-1', '--pids-limit 9', '--shm-size 5'],
  ],
  ['unlimited swap', {}, { Memory: 1000, MemorySwap: -1 }, ['--memory 1000', '--memory-swap -1']],
  ['ulimits', {}, { Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }] }, ['--ulimit nofile=1:2']],
  [
    'rights',
    {},
    { Privileged: true, ReadonlyRootfs: true, CapAdd: ['NET_ADMIN'], CapDrop: ['ALL'], SecurityOpt: ['seccomp=x'] },
    ['--privileged', '--read-only', '--cap-add NET_ADMIN', '--cap-drop ALL', '--security-opt seccomp=x'],
  ],
  [
    'devices',
    {},
    {
      Devices: [
        { PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'rwm' },
        { PathOnHost: '/dev/sda', PathInContainer: '/dev/x', CgroupPermissions: 'r' },
      ],
    },
    ['--device /dev/fuse', '--device /dev/sda:/dev/x:r'],
  ],
  [
    'namespaces',
    {},
    { PidMode: 'host', IpcMode: 'shareable', UsernsMode: 'host' },
    ['--pid host', '--ipc shareable', '--userns host'],
  ],
  ['restart', {}, { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } }, ['--restart on-failure:3']],
  ['restart always', {}, { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } }, ['--restart always']],
  [
    'life',
    { StopSignal: 'SIGINT', StopTimeout: 5 },
    { AutoRemove: true, Init: true },
    ['--rm', '--init', '--stop-signal SIGINT', '--stop-timeout 5'],
  ],
  [
    'log',
    {},
    { LogConfig: { Type: 'none', Config: { 'max-size': '1m' } } },
    ['--log-driver none', '--log-opt max-size=1m'],
  ],
  [
    'names',
    {},
    { ExtraHosts: ['a:1.2.3.4'], Dns: ['9.9.9.9'], Sysctls: { 'net.core.x': '1' } },
    ['--dns 9.9.9.9', '--add-host a:1.2.3.4', '--sysctl net.core.x=1'],
  ],
  [
    'health by a command',
    { Healthcheck: { Test: ['CMD', 'curl', '-f', 'http://a/?b&c'], Interval: 5e9, Retries: 2 } },
    {},
    [`--health-cmd 'curl -f '\\''http://a/?b&c'\\'''`, '--health-interval 5s', '--health-retries 2'],
  ],
  ['no health', { Healthcheck: { Test: ['NONE'] } }, {}, ['--no-healthcheck']],
];

for (const [what, config, hostConfig, wanted] of cases) {
  test(`options for ${what}`, () => {
    assert.deepEqual(options(raw(config, hostConfig)), ['--name web', ...wanted]);
  });
}

test('aliases and addresses are those of the named network', () => {
  const networks = {
    shop: { Aliases: ['api', 'abcdef012345'], IPAMConfig: { IPv4Address: '10.1.0.9' } },
    other: { Aliases: ['no'] },
  };
  const value = raw({}, { NetworkMode: 'shop' }, { NetworkSettings: { Networks: networks } });
  assert.deepEqual(options(value).slice(1), ['--network shop', '--network-alias api', '--ip 10.1.0.9']);
});

test('the program: another command, another entrypoint, none', () => {
  assert.equal(tail(raw({ Cmd: ['sh', '-c', 'echo $HOME'] })), `nginx:1.29 sh -c 'echo $HOME'`);
  const other = raw({ Entrypoint: ['python', '-m', 'http.server'], Cmd: ['80'] });
  assert.deepEqual(options(other).slice(1), ['--entrypoint python']);
  assert.equal(tail(other), 'nginx:1.29 -m http.server 80');
  assert.deepEqual(options(raw({ Entrypoint: null, Cmd: ['ls'] })).slice(1), [`--entrypoint ''`]);
});

test('terminal and input', () => {
  assert.match(dockerRunCommand(raw({ Tty: true, OpenStdin: true }), image), /^docker run -dit /);
});

test('anything at all is survived', () => {
  for (const value of [null, undefined, 3, 'x', [], { Config: [], HostConfig: { Binds: [3, null], Mounts: 'x' } }]) {
    assert.match(dockerRunCommand(value), /^docker run -d/);
  }
});

const nasty = [
  '$(touch /tmp/x)',
  '`id`',
  `it's "so"`,
  'a\\b',
  '!!',
  '~root',
  '=ls',
  '*?[x]{a,b}',
  ' ',
  '',
  '#no',
  'two\nlines',
  'bell\u0007\u001b[2J5',
  "tab\tand'quote\\",
  '\u202egnp.exe',
  'é 🛶\u200b',
  '-n',
];

test('a real shell reads every word back as it was, and what is pasted holds no control', () => {
  for (const word of nasty) {
    const quoted = quoteWord(word);
    // eslint-disable-next-line no-control-regex -- that there are none is the point
    assert.doesNotMatch(quoted, /[\u0000-\u001f\u007f\u202e\u200b]/);
    const read = execFileSync('bash', ['-c', `printf '%s' ${quoted}.`], { encoding: 'utf8' });
    assert.equal(read, `${word}.`);
  }
});
