/** Refusals as clients get them, through the routes, in the words that docker.io was seen to use (test/differential). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serveEngine } from '../../../../helpers/engine-server.ts';

const filters = (value: object): string => encodeURIComponent(JSON.stringify(value));

test('requests for a container that cannot be had', async (t) => {
  const server = await serveEngine(t);
  const cases: [body: object, message: string][] = [
    [{ HostConfig: { CpusetCpus: 'nonsense' } }, 'Invalid value nonsense for cpuset cpus: invalid format: nonsense'],
    [{ HostConfig: { CpusetMems: '0,9' } }, 'Requested memory nodes are not available - requested 0,9, available: 0'],
    [{ HostConfig: { BlkioWeight: 5 } }, 'Range of blkio weight is from 10 to 1000'],
    [{ HostConfig: { SecurityOpt: ['nonsense=1'] } }, 'invalid --security-opt 2: "nonsense=1"'],
    [{ HostConfig: { CapAdd: ['nonsense'] } }, 'invalid CapAdd: unknown capability: "CAP_NONSENSE"'],
    [{ HostConfig: { CapDrop: ['nonsense'] } }, 'invalid CapDrop: unknown capability: "CAP_NONSENSE"'],
    [
      { HostConfig: { LogConfig: { Type: 'nonsense', Config: {} } } },
      'error looking up logging plugin nonsense: plugin "nonsense" not found',
    ],
    [
      { HostConfig: { LogConfig: { Type: 'json-file', Config: { nonsense: '1' } } } },
      "unknown log opt 'nonsense' for json-file log driver",
    ],
    [
      { HostConfig: { LogConfig: { Type: 'local', Config: { tag: '1' } } } },
      "unknown log opt 'tag' for log driver local",
    ],
    [{ HostConfig: { RestartPolicy: { Name: 'nonsense' } } }, "invalid restart policy 'nonsense'"],
    [
      { HostConfig: { RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } } },
      "maximum retry count cannot be used with restart policy 'always'",
    ],
    [{ HostConfig: { Binds: ['relative:/x:nonsense'] } }, 'invalid mode: nonsense'],
    [
      { HostConfig: { Binds: ['/x:relative'] } },
      `invalid volume specification: '/x:relative': invalid mount config for type "bind": invalid mount path: 'relative' mount path must be absolute`,
    ],
    [
      { HostConfig: { Mounts: [{ Type: 'volume', Target: '/' }] } },
      `invalid mount config for type "volume": invalid specification: destination can't be '/'`,
    ],
    [
      { HostConfig: { Mounts: [{ Type: 'odd', Target: '/x' }] } },
      `invalid mount config for type "odd": mount type unknown`,
    ],
    [
      { HostConfig: { Mounts: [{ Type: 'bind', Source: '/does/not/exist', Target: '/x' }] } },
      'invalid mount config for type "bind": bind source path does not exist: /does/not/exist',
    ],
    [
      { HostConfig: { NetworkMode: 'host', Links: ['nothing'] } },
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    ],
    [{ HostConfig: { Tmpfs: { relative: '' } } }, "invalid mount path: 'relative' mount path must be absolute"],
    [
      { HostConfig: { Binds: ['?:/x'] } },
      'create ?: volume name is too short, names should be at least two alphanumeric characters',
    ],
    [{ HostConfig: { PidMode: 'container:nothing' } }, 'No such container: nothing'],
    [{ HostConfig: { VolumesFrom: ['nothing:ro'] } }, 'No such container: nothing'],
    [{ HostConfig: { Links: ['nothing:x'] } }, 'could not get container for nothing: No such container: nothing'],
    [{ Hostname: 'boat', HostConfig: { UTSMode: 'host' } }, 'conflicting options: hostname and the UTS mode'],
    [
      { Hostname: 'boat', HostConfig: { NetworkMode: 'container:x' } },
      'conflicting options: hostname and the network mode',
    ],
    [
      { HostConfig: { NetworkMode: 'container:x', PublishAllPorts: true } },
      'conflicting options: port publishing and the container type network mode',
    ],
    [
      { ExposedPorts: { '80/tcp': {} }, HostConfig: { NetworkMode: 'container:x' } },
      'conflicting options: port exposing and the container type network mode',
    ],
  ];
  for (const [body, message] of cases) {
    const answer = await server.ask('POST', '/containers/create', { Image: 'img', ...body });
    // 404 would make the docker CLI pull the image.
    assert.deepEqual([answer.status, answer.message], [400, message]);
  }
  assert.deepEqual(server.engine.parts.store.all(), []);
});

test('filters that are none', async (t) => {
  const server = await serveEngine(t);
  for (const [path, message] of [
    [`/containers/json?filters=${filters({ nonsense: ['1'] })}`, "Invalid filter 'nonsense'"],
    [`/containers/json?filters=${filters({ status: ['odd'] })}`, "Invalid filter 'status=odd'"],
    [`/containers/json?filters=${filters({ 'is-task': ['maybe'] })}`, "Invalid filter 'is-task=[maybe]'"],
    [
      `/containers/json?filters=${filters({ publish: ['odd'] })}`,
      'error while looking up for publish odd: strconv.ParseUint: parsing "odd": invalid syntax',
    ],
    [`/volumes?filters=${filters({ dangling: ['maybe'] })}`, "Invalid filter 'dangling=[maybe]'"],
    [`/networks?filters=${filters({ type: ['odd'] })}`, "invalid filter: 'type'='odd'"],
    [
      `/networks?filters=${filters({ dangling: ['maybe'] })}`,
      `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`,
    ],
  ] as const) {
    const answer = await server.ask('GET', path);
    assert.deepEqual([answer.status, answer.message], [400, message]);
  }
  const since = await server.ask('GET', `/containers/json?filters=${filters({ since: ['nothing'] })}`);
  assert.deepEqual([since.status, since.message], [404, 'no such container nothing']);
  const until = await server.ask('POST', `/containers/prune?filters=${filters({ until: ['odd'] })}`);
  assert.deepEqual([until.status, until.message], [400, 'failed to parse value as time or duration: "odd"']);
});

test('names that are not there, and names that cannot be', async (t) => {
  const server = await serveEngine(t);
  await server.ask('POST', '/containers/create?name=there', { Image: 'img' });
  for (const [method, path, status, message] of [
    ['POST', '/containers/nothing/kill', 404, 'Cannot kill container: nothing: No such container: nothing'],
    [
      'POST',
      '/containers/there/kill?signal=99',
      400,
      'Cannot kill container: there: The linux daemon does not support signal 99',
    ],
    ['GET', '/images/nothing/json', 404, 'no such image: nothing: No such image: nothing:latest'],
    [
      'POST',
      '/containers/there/rename?name=bad%20name',
      400,
      'Error when allocating new name: Invalid container name (/bad name), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
    ],
    ['POST', '/containers/bad/name/start', 404, 'No such container: bad/name'],
  ] as const) {
    const answer = await server.ask(method, path);
    assert.deepEqual([answer.status, answer.message], [status, message]);
  }
});

test('a volume of a driver that is not there', async (t) => {
  const server = await serveEngine(t);
  const answer = await server.ask('POST', '/volumes/create', { Name: 'some', Driver: 'odd' });
  assert.deepEqual(
    [answer.status, answer.message],
    [404, 'create some: error looking up volume plugin odd: plugin "odd" not found'],
  );
});

test('networks that only a swarm has', async (t) => {
  const server = await serveEngine(t);
  for (const [body, message] of [
    [{ Ingress: true }, 'Ingress network can only be global scope network'],
    [{ Scope: 'swarm' }, 'cannot create a swarm scoped network when swarm is not active'],
  ] as const) {
    const answer = await server.ask('POST', '/networks/create', { Name: 'some', ...body });
    assert.deepEqual([answer.status, answer.message], [403, message]);
  }
});

test('what is masked is told', async (t) => {
  const server = await serveEngine(t);
  await server.ask('POST', '/containers/create?name=masked', { Image: 'img' });
  const { body } = await server.ask('GET', '/containers/masked/json');
  const { HostConfig } = JSON.parse(body) as { HostConfig: { MaskedPaths: string[]; ReadonlyPaths: string[] } };
  assert.ok(HostConfig.MaskedPaths.includes('/proc/kcore'));
  assert.ok(HostConfig.ReadonlyPaths.includes('/proc/sys'));
});

test('in a network of one’s own a link may name a container that comes later', async (t) => {
  const server = await serveEngine(t);
  const answer = await server.ask('POST', '/containers/create', {
    ...{ Image: 'img', Cmd: ['x'] },
    HostConfig: { NetworkMode: 'shop', Links: ['nothing:x'] },
  });
  assert.equal(answer.status, 201, answer.body);
});
