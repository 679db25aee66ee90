import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { WireClient } from '../../../../src-main/contract/wire-client.ts';
import { createBody } from '../../../../src-main/handlers/containers.ts';
import { parseReference } from '../../../../src-main/handlers/image-reference.ts';
import { containerJson, frame, json, type Answer, type FakeEngine } from '../../../helpers/fake-engine.ts';
import { until } from '../../../helpers/handlers.ts';
import { startHandlers } from '../../../helpers/started-handlers.ts';

test('what the user types as an image is cut as docker does', () => {
  const cut = (text: string) => {
    const { name, tag } = parseReference(text);
    return [name, tag];
  };
  assert.deepEqual(cut('nginx'), ['nginx', 'latest']);
  assert.deepEqual(cut('localhost:5000/a/b'), ['localhost:5000/a/b', 'latest']);
  assert.deepEqual(cut('localhost:5000/a/b:v1'), ['localhost:5000/a/b', 'v1']);
  assert.deepEqual(cut('a@sha256:00'), ['a', 'sha256:00']);
  assert.deepEqual(cut('a:1@sha256:00'), ['a', 'sha256:00']);
  for (const bad of ['', '  ', 'two words', 'https://nginx', 'nginx:']) {
    assert.throws(() => parseReference(bad), { code: 'invalid-input' });
  }
});

test('run creates and starts; ports bind to loopback unless asked otherwise', async (t) => {
  const { engine, client } = await startHandlers(t, {
    'POST /containers/create': (_request, response) => json(response, 201, { Id: 'c1', Warnings: null }),
    'POST /containers/c1/start': (_request, response) => void response.writeHead(204).end(),
  });
  const answer = await client.call('containers.run', {
    image: 'nginx',
    name: 'web',
    ports: [{ containerPort: 80, protocol: 'tcp', hostPort: 8080 }],
    memoryBytes: 64 * 1024 * 1024,
    cpus: 0.5,
    pidsLimit: 64,
    tty: true,
    restartPolicy: 'unless-stopped',
  });
  assert.deepEqual(answer, { id: 'c1', warnings: [] });
  assert.ok(engine.requests.includes('POST /containers/create?name=web'));
  assert.deepEqual(engine.bodies[engine.requests.indexOf('POST /containers/create?name=web')], {
    Image: 'nginx',
    Tty: true,
    OpenStdin: true,
    ExposedPorts: { '80/tcp': {} },
    HostConfig: {
      PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] },
      RestartPolicy: { Name: 'unless-stopped', MaximumRetryCount: 0 },
      AutoRemove: false,
      Memory: 64 * 1024 * 1024,
      NanoCpus: 500_000_000,
      PidsLimit: 64,
    },
  });
  assert.deepEqual(Object.keys(createBody({ image: 'a', command: [] })), ['Image', 'ExposedPorts', 'HostConfig']);
});

test('a container that cannot be started is kept, and the error says so', async (t) => {
  const { engine, client } = await startHandlers(t, {
    'POST /containers/create': (_request, response) => json(response, 201, { Id: 'c1', Warnings: [] }),
    'POST /containers/c1/start': (_request, response) =>
      json(response, 500, { message: 'Bind for 127.0.0.1:80 failed: port is already allocated' }),
    'GET /containers/c1/json': (_request, response) => json(response, 200, containerJson('c1')),
  });
  await assert.rejects(client.call('containers.run', { image: 'nginx' }), {
    code: 'port-taken',
    message: 'run nginx: Bind for 127.0.0.1:80 failed: port is already allocated',
    hint: /publish another one.*container web was created and kept/,
  });
  assert.ok(!engine.requests.some((request) => request.startsWith('DELETE')));
});

test('starting what runs already is no error; removing what is not there is', async (t) => {
  const { client } = await startHandlers(t, {
    'POST /containers/c1/start': (_request, response) => void response.writeHead(304).end(),
    'DELETE /containers/c1': (_request, response) => json(response, 404, { message: 'No such container: c1' }),
  });
  await client.call('containers.start', { id: 'c1' });
  await assert.rejects(client.call('containers.remove', { id: 'c1', force: false, volumes: false }), {
    code: 'not-found',
    message: 'remove c1: No such container: c1',
  });
});

test('inspect translates what the window shows and keeps the whole answer', async (t) => {
  const raw = containerJson('c1', { Extra: { kept: true } });
  const { client } = await startHandlers(t, {
    'GET /containers/c1/json': (_request, response) => json(response, 200, raw),
  });
  const details = await client.call('containers.inspect', { id: 'c1' });
  assert.deepEqual(details.raw, raw);
  assert.equal(details.command, 'nginx -g daemon off;');
  assert.equal(details.ipAddress, '172.17.0.2');
  assert.equal(details.finishedAtMs, 0);
  assert.equal(details.restartPolicy, 'always');
});

const at = (n: number) => `2026-01-01T00:00:0${n}.000000000Z`;

test('a followed log goes on after the connection was lost, with no gap and nothing twice', async (t) => {
  let opened = 0;
  const { engine, client } = await startHandlers(t, {
    'GET /containers/c1/json': (_request, response) => json(response, 200, containerJson('c1')),
    'GET /containers/c1/logs': (_request, response) => {
      opened += 1;
      if (opened === 1) {
        response.write(frame('stdout', `${at(1)} one\n${at(2)} two\n${at(2)} tw`));
        setTimeout(() => response.socket?.destroy(), 30);
      } else {
        response.write(frame('stdout', `${at(2)} two\n${at(2)} two and a half\n${at(3)} three\n`));
      }
    },
  });
  const texts: string[] = [];
  for await (const { lines } of client.open('logs.follow', { containerId: 'c1', tail: 100, follow: true })) {
    texts.push(...lines.map(({ text }) => text));
    if (texts.includes('three')) break;
  }
  assert.deepEqual(texts, ['one', 'two', 'two and a half', 'three']);
  const requests = engine.requests.filter((request) => request.includes('/logs'));
  assert.match(requests[0] ?? '', /tail=100/);
  assert.match(requests[1] ?? '', /tail=all&since=1767225602\.000000000/);
});

test('a followed log goes on when the container starts again, and ends when it is removed', async (t) => {
  let opened = 0;
  const { client, events } = await startHandlers(t, {
    'GET /containers/c1/json': (_request, response) => json(response, 200, containerJson('c1')),
    'GET /containers/c1/logs': (_request, response) => {
      opened += 1;
      response.end(frame('stdout', `${at(1)} one\n${opened > 1 ? `${at(2)} again\n` : ''}`));
    },
  });
  const say = (action: string, n: number) =>
    events[0]?.write(`${JSON.stringify({ Type: 'container', Action: action, Actor: { ID: 'c1' }, timeNano: n })}\n`);
  await until(() => events.length === 1);
  const texts: string[] = [];
  const reading = (async () => {
    for await (const { lines } of client.open('logs.follow', { containerId: 'c1', tail: 'all', follow: true })) {
      texts.push(...lines.map(({ text }) => text));
    }
  })();
  await until(() => texts.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  say('start', 1000);
  await until(() => texts.length === 2);
  await new Promise((resolve) => setTimeout(resolve, 20));
  say('destroy', 2000);
  await reading;
  assert.deepEqual(texts, ['one', 'again']);
});

test('a burst of lines is batched, and the log of a missing container is an error at once', async (t) => {
  const { engine, client } = await startHandlers(t, {
    'GET /containers/c1/json': (_request, response) => json(response, 200, containerJson('c1')),
    'GET /containers/c1/logs': (_request, response) => {
      response.end(frame('stdout', Array.from({ length: 5000 }, (_, n) => `${at(1)} ${n}\n`).join('')));
    },
  });
  let count = 0;
  let batches = 0;
  const input = { containerId: 'c1', tail: 'all', follow: false, until: at(3) } as const;
  for await (const { lines } of client.open('logs.follow', input)) {
    batches += 1;
    for (const { text } of lines) assert.equal(text, String(count++));
  }
  assert.equal(count, 5000);
  assert.ok(batches < 20, `${batches} batches`);
  assert.match(engine.requests.find((request) => request.includes('/logs')) ?? '', /until=1767225603\.000000000/);
  const missing = client.open('logs.follow', { containerId: 'nope', tail: 1, follow: true });
  await assert.rejects(missing[Symbol.asyncIterator]().next(), { code: 'not-found' });
});

/** An engine whose containers hold these shells, and whose exec sessions echo. */
function terminalRoutes(shells: readonly string[]): Record<string, Answer> {
  let execs = 0;
  const commands = new Map<string, readonly string[]>();
  const isThere = (command: string | undefined) =>
    shells.some((shell) => command === shell || command === `/bin/${shell}`);
  const exec =
    (id: string): Answer =>
    (_request, response) => {
      const command = commands.get(id) ?? [];
      json(response, 200, { Running: false, ExitCode: isThere(command[0]) ? 7 * Number(command.length === 1) : 127 });
    };
  return {
    'GET /containers/c1/json': (_request, response) => json(response, 200, containerJson('c1')),
    'POST /containers/c1/exec': (_request, response, body) => {
      execs += 1;
      commands.set(`e${execs}`, (JSON.parse(body) as { Cmd: string[] }).Cmd);
      json(response, 201, { Id: `e${execs}` });
    },
    ...Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`GET /exec/e${n}/json`, exec(`e${n}`)])),
    ...Object.fromEntries(
      Array.from({ length: 20 }, (_, n): [string, Answer] => [
        `POST /exec/e${n}/resize`,
        (_request, response) => void response.writeHead(200).end(),
      ]),
    ),
  };
}

function serveExec(engine: FakeEngine, shells: readonly string[]): Socket[] {
  const ptys: Socket[] = [];
  engine.onUpgrade = (_request, socket, body) => {
    if ((JSON.parse(body) as { Tty: boolean }).Tty) {
      ptys.push(socket);
      socket.write('$ ');
      socket.on('data', (chunk: Buffer) => socket.write(chunk));
      socket.on('end', () => socket.end());
      return;
    }
    const found = ['bash', 'ash', 'sh'].find((shell) => shells.includes(shell));
    socket.end(found ? frame('stdout', `/bin/${found}\n`) : frame('stderr', 'exec: "sh": executable file not found'));
  };
  return ptys;
}

const readAll = async (client: WireClient, id: string, enough: (text: string) => boolean): Promise<string> => {
  let text = '';
  for await (const item of client.open('terminals.attach', { id })) {
    if ('data' in item) text += item.data;
    else text += `[ended ${item.exitCode}]`;
    if (enough(text)) break;
  }
  return text;
};

test('a terminal takes the best shell, outlives its window and gives the next one what was on it', async (t) => {
  const { engine, client } = await startHandlers(t, terminalRoutes(['sh', 'ash']));
  const ptys = serveExec(engine, ['sh', 'ash']);
  const { id } = await client.call('terminals.open', { containerId: 'c1', columns: 80, rows: 24 });
  await until(() => engine.requests.some((request) => request.endsWith('resize?h=24&w=80')));
  const stream = client.open('terminals.attach', { id });
  stream.send({ data: 'echo 🛶' });
  stream.send({ columns: 100, rows: 40 });
  let text = '';
  for await (const item of stream) {
    if ('data' in item) text += item.data;
    if (text.includes('🛶')) break;
  }
  await until(() => engine.requests.some((request) => request.endsWith('resize?h=40&w=100')));
  // The window left the loop; the terminal is still there for the next one.
  assert.equal(await readAll(client, id, (seen) => seen.includes('🛶')), '$ echo 🛶');
  ptys[0]?.write('\u001b]0;root@web: ~\u0007');
  let title = '';
  client.subscribe('terminals', (views) => (title = views[0]?.title ?? ''));
  await until(() => title === 'root@web: ~');
  ptys[0]?.end('bye');
  assert.match(await readAll(client, id, (seen) => seen.includes('ended')), /bye\[ended 7\]$/);
  let count = -1;
  client.subscribe('terminals', (views) => (count = views.length));
  await until(() => count === 1);
  await client.call('terminals.close', { id });
  await until(() => count === 0);
  await assert.rejects(
    readAll(client, id, () => true),
    { code: 'not-found' },
  );
});

test('closing a terminal hangs up its session', async (t) => {
  const { engine, client } = await startHandlers(t, terminalRoutes(['sh']));
  const ptys = serveExec(engine, ['sh']);
  const { id } = await client.call('terminals.open', { containerId: 'c1', command: ['sh'], columns: 80, rows: 24 });
  const [pty] = ptys;
  assert.ok(pty);
  const closed = once(pty, 'close');
  await client.call('terminals.close', { id });
  await closed;
});

/** Commands that were asked of the toolbox. */
function toolboxes(engine: FakeEngine): unknown[] {
  return engine.bodies
    .map((body) => body as { WherryToolbox?: boolean; Cmd?: unknown } | undefined)
    .filter((body) => body?.WherryToolbox === true)
    .map((body) => body?.Cmd);
}

test('in an image without a shell the toolbox takes its place; a container that does not run is told', async (t) => {
  const { engine, client } = await startHandlers(t, {
    ...terminalRoutes([]),
    'GET /containers/c2/json': (_request, response) =>
      json(response, 200, containerJson('c2', { State: { Status: 'exited' } })),
  });
  serveExec(engine, []);
  const { id } = await client.call('terminals.open', { containerId: 'c1', columns: 80, rows: 24 });
  assert.match(
    await readAll(client, id, (seen) => seen.includes(']')),
    /^\[the image has no shell: this is busybox of Wherry; nothing of it is in the container\]/,
  );
  assert.deepEqual(toolboxes(engine), [['sh']]);
  const asked = await client.call('terminals.open', {
    ...{ containerId: 'c1', columns: 80, rows: 24 },
    toolbox: true,
    command: ['vi', '/etc/hosts'],
  });
  await client.call('terminals.close', asked);
  assert.deepEqual(toolboxes(engine), [['sh'], ['vi', '/etc/hosts']]);
  await assert.rejects(client.call('terminals.open', { containerId: 'c2', columns: 80, rows: 24 }), {
    code: 'conflict',
    hint: 'Start it first.',
  });
});

test('a terminal whose connection is lost ends and says why', async (t) => {
  const { engine, client } = await startHandlers(t, terminalRoutes([]));
  const ptys = serveExec(engine, []);
  const { id } = await client.call('terminals.open', { containerId: 'c1', command: ['top'], columns: 80, rows: 24 });
  ptys[0]?.resetAndDestroy();
  assert.match(await readAll(client, id, (seen) => seen.includes('ended')), /\[ended 127\]$|lost.*\[ended -1\]$/s);
});

test('only web links are opened outside', async (t) => {
  const { client } = await startHandlers(t, {});
  await client.call('app.openExternal', { url: 'http://127.0.0.1:8080' });
  for (const url of ['file:///etc/passwd', 'javascript:alert(1)', 'smb://host/x', 'not a url', 'ms-calculator:']) {
    await assert.rejects(client.call('app.openExternal', { url }), { code: 'invalid-input' });
  }
});
