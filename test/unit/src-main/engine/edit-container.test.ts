import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ContainerEdit } from '../../../../src-main/contract/engine.ts';
import { AppError } from '../../../../src-main/contract/errors.ts';
import { EngineClient } from '../../../../src-main/engine/client.ts';
import { acceptEdit, editContainer, rollBackEdit } from '../../../../src-main/engine/edit-container.ts';
import { editableInspect, editOf } from '../../../../src-main/engine/edited-container.ts';
import { fakeEngine, json } from '../../../helpers/fake-engine.ts';

interface Kept {
  name: string;
  running: boolean;
  config: Record<string, unknown>;
  hostConfig: Record<string, unknown>;
}

const oldId = 'a'.repeat(64);
const newId = 'b'.repeat(64);

const config = {
  Image: 'nginx:1.29',
  Hostname: 'aaaaaaaaaaaa',
  Env: ['A=1'],
  Cmd: ['serve'],
  Entrypoint: ['/entry.sh'],
  ExposedPorts: { '80/tcp': {} },
  Labels: { team: 'shop' },
  StopSignal: 'SIGQUIT',
};
const hostConfig = {
  Binds: ['data:/data:ro,z'],
  Mounts: [{ Type: 'tmpfs', Target: '/run' }],
  NetworkMode: 'shop',
  PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] },
  RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 4 },
  Memory: 100_000_000,
  MemorySwap: 150_000_000,
  CapAdd: ['NET_ADMIN'],
  // The engine writes null for what was never set.
  PidsLimit: null,
  VolumesFrom: null,
};

function inspected(id: string, kept: Kept): object {
  return {
    Id: id,
    Name: `/${kept.name}`,
    Image: 'sha256:1',
    State: { Running: kept.running },
    Config: kept.config,
    HostConfig: kept.hostConfig,
    Mounts: [
      { Type: 'volume', Name: 'data', Source: '/v/data', Destination: '/data', RW: false },
      { Type: 'volume', Name: 'f'.repeat(64), Source: '/v/f', Destination: '/made-up', RW: true },
    ],
    NetworkSettings: { Networks: { shop: { Aliases: ['api', 'aaaaaaaaaaaa'], IPAMConfig: null } } },
  };
}

/** An engine that keeps containers; `fails` names the requests that are refused, each time. */
async function lab(t: TestContext, values: { running?: boolean; hostConfig?: object } = {}) {
  const containers = new Map<string, Kept>([
    [
      oldId,
      { name: 'web', running: values.running ?? true, config, hostConfig: { ...hostConfig, ...values.hostConfig } },
    ],
  ]);
  const fails = new Map<string, number>();
  const find = (reference: string) => [...containers].find(([id, { name }]) => id === reference || name === reference);
  /** Status and body of an answer. */
  const answer = (method: string, url: URL, body: string): readonly [number, object?] => {
    const [, noun, reference = '', verb = ''] = url.pathname.replace(/^\/v1\.\d+/, '').split('/');
    const shown = reference === oldId ? 'old' : reference === newId ? 'new' : reference;
    const step = `${method} ${shown} ${verb}`.trim();
    const failure = fails.get(step);
    const name = url.searchParams.get('name') ?? '';
    if (failure !== undefined) return [failure, { message: `refused: ${step}` }];
    if (noun === 'images') {
      return [200, { Id: 'sha256:1', Size: 1, RepoTags: ['nginx:1.29'], Config: { Entrypoint: ['/entry.sh'] } }];
    }
    if (name !== '' && find(name)) return [409, { message: `name ${name} is in use` }];
    if (reference === 'create') {
      const made = JSON.parse(body) as Record<string, unknown>;
      containers.set(newId, { name, running: false, config: made, hostConfig: made['HostConfig'] as never });
      return [201, { Id: newId, Warnings: [] }];
    }
    const [id, kept] = find(reference) ?? [];
    if (id === undefined || !kept) return [404, { message: `no such container: ${reference}` }];
    if (method === 'DELETE') containers.delete(id);
    else if (verb === 'start') kept.running = true;
    else if (verb === 'stop') kept.running = false;
    else if (verb === 'update') Object.assign(kept.hostConfig, JSON.parse(body) as object);
    else if (verb === 'rename') kept.name = name;
    else return [200, inspected(id, kept)];
    return [204];
  };
  const engine = await fakeEngine(t, (request, response, body) => {
    const [status, value] = answer(request.method ?? '', new URL(request.url ?? '', 'http://engine'), body);
    if (value) json(response, status, value);
    else response.writeHead(status).end();
  });
  const client = new EngineClient(engine);
  t.after(() => client.close());
  const raw = await client.json({ attempt: 'x', path: `/containers/${oldId}/json` }, editableInspect);
  const state = () =>
    Object.fromEntries(
      [...containers].map(([id, { name, running }]) => [name, `${id.charAt(0)}${running ? ' up' : ''}`]),
    );
  const policyOf = (id: string) => containers.get(id)?.hostConfig['RestartPolicy'];
  return { client, containers, fails, state, policyOf, edit: editOf(raw), requests: engine.requests };
}

const changed = (edit: ContainerEdit): ContainerEdit => ({ ...edit, environment: ['A=2', 'B=3'] });

async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error: unknown = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof AppError, String(error));
  return error;
}

test('limits and the restart policy alone are changed in place', async (t) => {
  const { client, edit, state, containers } = await lab(t);
  const wanted: ContainerEdit = { ...edit, memoryBytes: 300_000_000, cpus: 1.5, restartPolicy: 'always' };
  const result = await editContainer(client, oldId, wanted);
  assert.deepEqual(result, { id: oldId, recreated: false, warnings: [] });
  assert.deepEqual(state(), { web: 'a up' });
  const { Memory, MemorySwap, NanoCpus, RestartPolicy, PidsLimit } = containers.get(oldId)?.hostConfig ?? {};
  assert.deepEqual([Memory, MemorySwap, NanoCpus, PidsLimit], [300_000_000, 350_000_000, 1.5e9, null]);
  assert.deepEqual(RestartPolicy, { Name: 'always', MaximumRetryCount: 0 });
});

test('a CPU share given as a quota is changed as one', async (t) => {
  const { client, edit, containers } = await lab(t, { hostConfig: { CpuQuota: 50_000 } });
  assert.equal(edit.cpus, 0.5);
  await editContainer(client, oldId, { ...edit, cpus: 2 });
  const { CpuQuota, CpuPeriod, NanoCpus } = containers.get(oldId)?.hostConfig ?? {};
  assert.deepEqual([CpuQuota, CpuPeriod, NanoCpus], [200_000, 100_000, undefined]);
});

test('an edit that changes nothing asks for nothing', async (t) => {
  const { client, edit, requests } = await lab(t);
  await editContainer(client, oldId, edit);
  assert.deepEqual(
    requests.filter((request) => !request.startsWith('GET ')),
    [],
  );
});

test('a limit taken away makes a new container', async (t) => {
  const { client, edit, state, containers } = await lab(t, { running: false });
  const result = await editContainer(client, oldId, { ...edit, memoryBytes: 0 });
  assert.equal(result.recreated, true);
  assert.deepEqual(state(), { 'web.before-edit': 'a', web: 'b' });
  assert.equal(containers.get(newId)?.hostConfig['Memory'], 0);
  assert.equal(containers.get(newId)?.hostConfig['MemorySwap'], 0);
});

test('the new container has what was edited, and all else as it was', async (t) => {
  const { client, edit, state, containers } = await lab(t);
  const result = await editContainer(client, oldId, {
    ...edit,
    environment: ['A=2'],
    command: [],
    ports: [{ containerPort: 81, protocol: 'udp', hostPort: 9000, hostIp: '' }],
    mounts: [...edit.mounts, { type: 'bind', source: '/home/a:b', target: '/in', readOnly: true }],
    pidsLimit: 50,
  });
  assert.deepEqual(result, { id: newId, recreated: true, warnings: [] });
  assert.deepEqual(state(), { 'web.before-edit': 'a', web: 'b up' });
  const { HostConfig, NetworkingConfig, ...made } = containers.get(newId)?.config ?? {};
  assert.deepEqual(made, {
    Image: 'nginx:1.29',
    Env: ['A=2'],
    Cmd: [],
    ExposedPorts: { '80/tcp': {}, '81/udp': {} },
    Labels: {
      team: 'shop',
      'wherry.replaces': oldId,
      'wherry.replaces.restart-policy': '{"Name":"on-failure","MaximumRetryCount":4}',
    },
    StopSignal: 'SIGQUIT',
  });
  assert.deepEqual(NetworkingConfig, { EndpointsConfig: { shop: { Aliases: ['api'] } } });
  const host = HostConfig as Record<string, unknown>;
  assert.deepEqual(host['Binds'], ['data:/data:ro,z']);
  assert.deepEqual(host['Mounts'], [
    { Type: 'tmpfs', Target: '/run' },
    { Type: 'volume', Source: 'f'.repeat(64), Target: '/made-up', ReadOnly: false },
    { Type: 'bind', Source: '/home/a:b', Target: '/in', ReadOnly: true },
  ]);
  assert.deepEqual(host['PortBindings'], { '81/udp': [{ HostIp: '', HostPort: '9000' }] });
  assert.deepEqual(host['RestartPolicy'], { Name: 'on-failure', MaximumRetryCount: 4 });
  assert.deepEqual([host['Memory'], host['MemorySwap'], host['PidsLimit']], [100_000_000, 150_000_000, 50]);
  assert.deepEqual(host['CapAdd'], ['NET_ADMIN']);
});

for (const step of ['POST old stop', 'POST old rename', 'POST old update', 'POST create', 'POST new start']) {
  test(`when "${step}" fails, the old container is as it was`, async (t) => {
    const { client, edit, fails, state, policyOf } = await lab(t);
    fails.set(step, 500);
    const error = await refusal(editContainer(client, oldId, changed(edit)));
    assert.match(error.message, /^edit web: /);
    assert.match(error.hint ?? '', /Everything is as it was before\.$/);
    assert.deepEqual(state(), { web: 'a up' });
    assert.deepEqual(policyOf(oldId), hostConfig.RestartPolicy);
  });
}

test('a stopped container is put back stopped', async (t) => {
  const { client, edit, fails, state } = await lab(t, { running: false });
  fails.set('POST create', 400);
  await refusal(editContainer(client, oldId, changed(edit)));
  assert.deepEqual(state(), { web: 'a' });
});

test('what could not be undone is said, and the rest is undone all the same', async (t) => {
  const { client, edit, fails, state } = await lab(t);
  fails.set('POST new start', 500);
  fails.set('DELETE new', 500);
  const error = await refusal(editContainer(client, oldId, changed(edit)));
  assert.match(error.message, /refused: POST new start/);
  assert.match(error.hint ?? '', /remove the new container: .*refused: DELETE new/);
  // The name is still taken by the new one, so the old one cannot have it back; but it runs again.
  assert.deepEqual(state(), { 'web.before-edit': 'a up', web: 'b' });
});

test('the kept name avoids one that is taken', async (t) => {
  const { client, edit, containers, state } = await lab(t);
  containers.set('c'.repeat(64), { name: 'web.before-edit', running: false, config, hostConfig });
  await editContainer(client, oldId, changed(edit));
  assert.equal(state()['web.before-edit-2'], 'a');
});

test('a second edit waits for the first to be accepted', async (t) => {
  const { client, edit, state } = await lab(t);
  await editContainer(client, oldId, changed(edit));
  const error = await refusal(editContainer(client, newId, { ...changed(edit), command: ['other'] }));
  assert.equal(error.code, 'conflict');
  assert.deepEqual(state(), { 'web.before-edit': 'a', web: 'b up' });
  await acceptEdit(client, newId);
  assert.deepEqual(state(), { web: 'b up' });
  assert.equal((await refusal(acceptEdit(client, newId))).code, 'not-found');
});

test('a container that removes itself is not recreated, but its limits change', async (t) => {
  const { client, edit, state } = await lab(t, { hostConfig: { AutoRemove: true } });
  assert.equal((await refusal(editContainer(client, oldId, changed(edit)))).code, 'conflict');
  assert.equal((await editContainer(client, oldId, { ...edit, pidsLimit: 9 })).recreated, false);
  assert.deepEqual(state(), { web: 'a up' });
});

test('going back gives the old one its name and removes the new one, never a volume', async (t) => {
  const { client, edit, state, requests, policyOf } = await lab(t);
  await editContainer(client, oldId, changed(edit));
  assert.deepEqual(policyOf(oldId), { Name: 'no', MaximumRetryCount: 0 }, 'the kept one does not start by itself');
  assert.deepEqual(await rollBackEdit(client, newId), { id: oldId });
  assert.deepEqual(state(), { web: 'a up' });
  assert.deepEqual(policyOf(oldId), hostConfig.RestartPolicy);
  assert.deepEqual(
    requests.filter((request) => request.startsWith('DELETE')),
    [`DELETE /containers/${newId}?force=true&v=false`],
  );
});

for (const step of ['POST new stop', 'POST new rename', 'POST old rename', 'POST old update', 'POST old start']) {
  test(`when "${step}" fails while going back, the edited container goes on`, async (t) => {
    const { client, edit, fails, state, policyOf } = await lab(t);
    await editContainer(client, oldId, changed(edit));
    fails.set(step, 500);
    const error = await refusal(rollBackEdit(client, newId));
    assert.match(error.message, /^put back web: /);
    assert.deepEqual(state(), { 'web.before-edit': 'a', web: 'b up' });
    assert.deepEqual(policyOf(oldId), { Name: 'no', MaximumRetryCount: 0 });
  });
}
