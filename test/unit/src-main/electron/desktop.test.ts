/** The tray's containers, notifications, start at login and closing, with doubles of Electron. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { MenuItemConstructorOptions } from 'electron';
import type { ContainerState, ContainerView, EngineEvent } from '../../../../src-main/contract/engine.ts';
import { AppError } from '../../../../src-main/contract/errors.ts';
import type { TaskView } from '../../../../src-main/contract/tasks.ts';
import { applyStartAtLogin, xdgConfigFolder } from '../../../../src-main/electron/login-item.ts';
import { trayMenu, type MenuActions } from '../../../../src-main/electron/menus.ts';
import { Notifier, type NotificationText } from '../../../../src-main/electron/notifications.ts';
import { plainText } from '../../../../src-main/electron/plain-text.ts';
import { hidesOnClose } from '../../../../src-main/electron/quit.ts';
import { trayKey } from '../../../../src-main/electron/tray-containers.ts';
import { trayWords } from '../../../../src-main/electron/vm-words.ts';
import { fakeHandlers, settle, Source, until } from '../../../helpers/handlers.ts';
import { memoryTransports } from '../../../../src-main/handlers/memory-transport.ts';
import { serveWire } from '../../../../src-main/handlers/wire-server.ts';
import { createReconnectingClient } from '../../../../src-main/contract/reconnecting-client.ts';
import { vmView } from '../../../helpers/services.ts';

function container(name: string, state: ContainerState, more: Partial<ContainerView> = {}): ContainerView {
  const facts = { image: 'x', imageId: 'x', command: '', status: '', createdAtMs: 0, ports: [], labels: {} };
  return { id: `id-${name}`, name, state, ...facts, ...more };
}

test('the tray has what runs with what can be done to it, and what can be started', () => {
  const done: string[] = [];
  const note = (verb: string) => (one: ContainerView, tab?: string) =>
    done.push([verb, one.name, ...(tab === undefined ? [] : [tab])].join(' '));
  const actions = {
    openContainer: note('open'),
    openPort: (url: string) => done.push(url),
    startContainer: note('start'),
    stopContainer: note('stop'),
  } as unknown as MenuActions;
  const ports = [
    { containerPort: 80, protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 8080 },
    { containerPort: 80, protocol: 'tcp', hostIp: '::1', hostPort: 8080 },
    { containerPort: 53, protocol: 'udp', hostIp: '127.0.0.1', hostPort: 5353 },
    { containerPort: 443, protocol: 'tcp', hostIp: '', hostPort: 443 },
    { containerPort: 9000, protocol: 'tcp' },
  ] as const;
  const all = [
    container('web', 'running', { health: 'unhealthy', ports }),
    container('db', 'paused'),
    container('job', 'exited'),
    container('a&b\u202e\u001b[31m<b>', 'running'),
  ];
  const menu = trayMenu(vmView('ready'), all, actions);
  const labels = menu.map(({ label }) => label);
  assert.ok(
    labels.includes('3 containers run') && labels.includes('web (unhealthy)') && labels.includes('db (paused)'),
  );
  assert.ok(labels.includes('a&&b  [31m b'), labels.join('|'));
  const below = (label: string) => menu.find((item) => item.label === label)?.submenu as MenuItemConstructorOptions[];
  const click = (items: MenuItemConstructorOptions[], label: string) => {
    const item = items.find((one) => one.label === label);
    assert.notEqual(item?.enabled, false);
    (item?.click as (() => void) | undefined)?.();
  };
  const ofWeb = ['Open', 'Open Terminal', 'Open localhost:8080', 'Open localhost:443', undefined, 'Stop'];
  assert.deepEqual(
    below('web (unhealthy)').map(({ label }) => label),
    ofWeb,
  );
  for (const label of ofWeb) if (label !== undefined) click(below('web (unhealthy)'), label);
  assert.equal(below('db (paused)').find(({ label }) => label === 'Open Terminal')?.enabled, false);
  click(below('Start'), 'job');
  assert.deepEqual(done, [
    'open web logs',
    'open web terminal',
    'http://localhost:8080/',
    'https://localhost:443/',
    'stop web',
    'start job',
  ]);
});

test('without a usable engine the tray has no containers; of many it shows some', () => {
  const many = Array.from({ length: 30 }, (_, at) => container(`c${at}`, 'running'));
  const menu = trayMenu(vmView('ready'), many, {} as MenuActions);
  assert.equal(menu.filter(({ submenu }) => submenu !== undefined).length, 12);
  assert.ok(menu.some(({ label }) => label === '18 more in the window'));
  for (const vm of [undefined, vmView('absent'), { ...vmView('ready'), link: 'down' as const }]) {
    assert.ok(!trayMenu(vm, many, {} as MenuActions).some(({ submenu }) => submenu !== undefined));
  }
  assert.equal(trayWords(vmView('ready'), many), 'VM: running, 30 containers');
  assert.equal(trayWords(vmView('ready'), []), 'VM: running');
  assert.equal(trayWords(vmView('absent'), many), 'VM: stopped');
});

test('a change of words alone makes no new menu', () => {
  const before = [container('web', 'running', { status: 'Up 1 minute' })];
  assert.equal(trayKey(before), trayKey([container('web', 'running', { status: 'Up 2 minutes' })]));
  assert.notEqual(trayKey(before), trayKey([container('web', 'exited')]));
  const ports = [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: 80 }] as const;
  assert.notEqual(trayKey(before), trayKey([container('web', 'running', { ports })]));
});

test('what the system draws has no control characters, no direction marks and an end', () => {
  assert.equal(plainText('a\u202eb\u001b[1m\n<i>c'), 'a b [1m  i c');
  assert.equal(plainText('x'.repeat(100_000)).length, 60);
});

/** A host whose events and tasks the test makes, over the real wire. */
function startNotifier(t: TestContext) {
  const tasks = new Source<readonly TaskView[]>([]);
  const vm = new Source(vmView('ready'));
  const shown: NotificationText[] = [];
  const state = { wanted: true, nowMs: 1_000_000, streams: 0 };
  let send: ((event: EngineEvent | AppError) => void) | undefined;
  const events = async function* (_input: unknown, { signal }: { signal: AbortSignal }) {
    const waiting: (EngineEvent | AppError)[] = [];
    let bell: (() => void) | undefined;
    send = (event) => {
      waiting.push(event);
      bell?.();
    };
    signal.addEventListener('abort', () => bell?.());
    state.streams += 1;
    while (!signal.aborted) {
      for (const event of waiting.splice(0)) {
        if (event instanceof AppError) throw event;
        yield event;
      }
      await new Promise<void>((resolve) => (bell = resolve));
    }
  };
  const client = createReconnectingClient(() => {
    const { client: end, server } = memoryTransports();
    serveWire(fakeHandlers({ topics: { tasks, vm }, streams: { 'engine.events': events } }), server);
    return Promise.resolve(end);
  });
  t.after(() => client.close());
  const notifier = new Notifier({
    client,
    isWanted: () => state.wanted,
    show: (text) => shown.push(text),
    now: () => state.nowMs,
    retryMs: 1,
  });
  t.after(() => notifier[Symbol.dispose]());
  const tell = (action: string, name: string, attributes: Record<string, string> = {}) =>
    send?.({ type: 'container', action, actorId: `id-${name}`, attributes: { name, ...attributes }, timeNano: 0 });
  const sink = (event: EngineEvent | AppError) => send?.(event);
  return { tasks, vm, shown, state, tell, sink, notifier };
}

test('a container that dies by itself is told, once in a while, and where to look', async (t) => {
  const { shown, state, tell } = startNotifier(t);
  await until(() => state.streams === 1);
  tell('die', 'web', { exitCode: '1' });
  await until(() => shown.length === 1);
  assert.deepEqual(shown[0], {
    title: 'web died',
    body: 'It ended with exit code 1.',
    link: { noun: 'containers', name: 'web', tab: 'logs' },
  });
  tell('start', 'web');
  tell('die', 'web', { exitCode: '1' });
  tell('oom', 'db');
  tell('die', 'db', { exitCode: '137' });
  await until(() => shown.length === 2);
  assert.equal(shown[1]?.body, 'It ran out of memory.');
  state.nowMs += 6 * 60_000;
  tell('start', 'web');
  tell('die', 'web', { exitCode: '2' });
  await until(() => shown.length === 3);
  assert.equal(shown[2]?.title, 'web died');
});

test('one that was stopped, did its work, or went with the VM is not told; nor is any when nobody wants it', async (t) => {
  const { shown, state, tell, vm } = startNotifier(t);
  await until(() => state.streams === 1);
  tell('kill', 'web', { signal: '15' });
  tell('die', 'web', { exitCode: '143' });
  tell('die', 'job', { exitCode: '0' });
  state.wanted = false;
  tell('die', 'quiet', { exitCode: '1' });
  await settle();
  state.wanted = true;
  vm.set({ ...vmView('ready'), state: { kind: 'stopping', step: 'guest' } });
  await settle();
  tell('die', 'goes', { exitCode: '137' });
  await settle();
  vm.set(vmView('ready'));
  await settle();
  tell('start', 'web');
  tell('die', 'web', { exitCode: '1' });
  await until(() => shown.length === 1);
  assert.equal(shown[0]?.title, 'web died', 'started again since it was stopped');
});

test('events are followed again after they broke off', async (t) => {
  const { shown, state, tell, sink } = startNotifier(t);
  await until(() => state.streams === 1);
  sink(new AppError('unavailable', 'gone'));
  await until(() => state.streams === 2);
  tell('die', 'web', { exitCode: '1' });
  await until(() => shown.length === 1);
});

test('a pull that ends is told with its image; what had ended before, or is cancelled, is not', async (t) => {
  const { shown, tasks, state } = startNotifier(t);
  await until(() => state.streams === 1);
  const task = (id: string, kind: TaskView['kind'], taskState: TaskView['state']): TaskView => ({
    ...{ id, kind, state: taskState, subject: `${id}:latest`, startedAtMs: 0, layers: [] },
  });
  tasks.set([task('old', 'pull', 'done'), task('a', 'pull', 'running'), task('b', 'pull', 'running')]);
  await settle();
  tasks.set([
    task('a', 'pull', 'running'),
    task('b', 'pull', 'running'),
    task('c', 'pull', 'running'),
    task('p', 'push', 'running'),
  ]);
  await settle();
  tasks.set([
    task('a', 'pull', 'done'),
    task('b', 'pull', 'failed'),
    task('c', 'pull', 'cancelled'),
    task('p', 'push', 'done'),
  ]);
  await until(() => shown.length === 2);
  assert.deepEqual(shown, [
    { title: 'Pull finished', body: 'a:latest', link: { noun: 'images', name: 'a:latest' } },
    { title: 'Pull failed', body: 'b:latest', link: { noun: 'images' } },
  ]);
  tasks.set([task('a', 'pull', 'done')]);
  await settle();
  assert.equal(shown.length, 2);
});

test('on Linux start at login is an autostart file, made and removed, and left alone when it is there', async (t) => {
  const configFolder = await mkdtemp(path.join(tmpdir(), 'wherry-login-'));
  t.after(() => rm(configFolder, { recursive: true }));
  const options = { app: {} as never, platform: 'linux' as const, program: '/opt/We "h"/100%/$x', configFolder };
  const file = path.join(configFolder, 'autostart', 'wherry.desktop');
  await applyStartAtLogin(false, options);
  await applyStartAtLogin(true, options);
  const written = await readFile(file, 'utf8');
  assert.match(written, /^\[Desktop Entry\]\nType=Application\nName=Wherry\n/);
  assert.ok(written.includes(String.raw`Exec="/opt/We \\"h\\"/100%%/\\$x" --hidden`), written);
  await writeFile(file, `${written}Hidden=true\n`);
  await applyStartAtLogin(true, options);
  assert.match(await readFile(file, 'utf8'), /Hidden=true/, 'switched off by the desktop: that stays');
  await applyStartAtLogin(true, { ...options, program: '/opt/moved' });
  assert.match(await readFile(file, 'utf8'), /Exec="\/opt\/moved" --hidden/);
  await applyStartAtLogin(false, options);
  await assert.rejects(stat(file), { code: 'ENOENT' });
  assert.equal(xdgConfigFolder({ XDG_CONFIG_HOME: '/c' }, '/home/sam'), '/c');
  assert.equal(xdgConfigFolder({ XDG_CONFIG_HOME: 'relative' }, '/home/sam'), '/home/sam/.config');
});

test('elsewhere it is the system’s login item, changed only when it is not so already', async () => {
  for (const platform of ['darwin', 'win32'] as const) {
    let openAtLogin = false;
    const changes: unknown[] = [];
    const app = {
      getLoginItemSettings: () => ({ openAtLogin }),
      setLoginItemSettings: (settings: { openAtLogin?: boolean }) => {
        changes.push(settings);
        openAtLogin = settings.openAtLogin ?? false;
      },
    };
    const options = { app: app as never, platform, program: '/x', configFolder: '/nowhere' };
    for (const wanted of [false, true, true, false]) await applyStartAtLogin(wanted, options);
    const args = platform === 'win32' ? { args: ['--hidden'] } : {};
    assert.deepEqual(changes, [
      { openAtLogin: true, ...args },
      { openAtLogin: false, ...args },
    ]);
  }
});

test('closing hides the window when that is the setting and something brings it back', () => {
  const facts = { onClose: 'hide', platform: 'linux', hasTray: true, isQuitting: false } as const;
  assert.equal(hidesOnClose(facts), true);
  assert.equal(hidesOnClose({ ...facts, hasTray: false }), false);
  assert.equal(hidesOnClose({ ...facts, hasTray: false, platform: 'darwin' }), true);
  assert.equal(hidesOnClose({ ...facts, isQuitting: true }), false);
  assert.equal(hidesOnClose({ ...facts, onClose: 'quit', platform: 'win32' }), false);
  assert.equal(hidesOnClose({ ...facts, onClose: undefined }), false);
});
