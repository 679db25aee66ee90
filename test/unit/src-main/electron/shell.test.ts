import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { createReconnectingClient } from '../../../../src-main/contract/reconnecting-client.ts';
import { bridgeTransport, type PreloadBridge } from '../../../../src-main/contract/wire-transports.ts';
import type { VmView } from '../../../../src-main/contract/vm.ts';
import { linkIn } from '../../../../src-main/electron/link-arguments.ts';
import { frameChannel } from '../../../../src-main/electron/frame-channel.ts';
import { guardPage, guardSession, hardenedPreferences } from '../../../../src-main/electron/hardening.ts';
import { serveWindows } from '../../../../src-main/electron/ipc.ts';
import { applicationMenu, trayMenu, type MenuActions } from '../../../../src-main/electron/menus.ts';
import { answerPage, pageOrigin, pageUrl } from '../../../../src-main/electron/page-protocol.ts';
import { quitInOrder } from '../../../../src-main/electron/quit.ts';
import { placeWindow, readWindowState } from '../../../../src-main/electron/window-state.ts';
import { shellCalls } from '../../../../src-main/handlers/app.ts';
import { memoryTransports } from '../../../../src-main/handlers/memory-transport.ts';
import { serveWire, type ServedConnection } from '../../../../src-main/handlers/wire-server.ts';
import { fakeHandlers, settle, Source, until } from '../../../helpers/handlers.ts';
import { vmView } from '../../../helpers/services.ts';

/** A window's page and the main process, joined as Electron's IPC joins them. */
class FakePage extends EventEmitter {
  mainFrame = { url: pageUrl };
  destroyed = false;
  readonly #ipc: EventEmitter;
  #listener: ((frame: never) => void) | undefined;

  constructor(ipc: EventEmitter) {
    super();
    this.#ipc = ipc;
  }

  readonly bridge: PreloadBridge = {
    platform: 'linux',
    post: (frame) => this.post(frame),
    onFrame: (listener) => (this.#listener = listener as (frame: never) => void),
  };

  post(frame: unknown, senderFrame: unknown = this.mainFrame): void {
    setImmediate(() => this.#ipc.emit(frameChannel, { sender: this, senderFrame }, structuredClone(frame)));
  }

  isDestroyed(): boolean {
    return this.destroyed;
  }

  send(channel: string, frame: unknown): void {
    assert.equal(channel, frameChannel);
    setImmediate(() => this.#listener?.(structuredClone(frame) as never));
  }
}

function startShell(t: TestContext, images = new Source<readonly never[]>([])) {
  const ipc = new EventEmitter();
  const served: ServedConnection[] = [];
  const serving = serveWindows({
    ipc: ipc as never,
    origin: pageOrigin,
    connect: () => {
      const { client, server } = memoryTransports();
      served.push(serveWire(fakeHandlers({ topics: { images } }), server));
      return Promise.resolve(client);
    },
    shellCalls: shellCalls({ version: '1', shell: 'electron', home: '/h' }),
  });
  t.after(() => serving[Symbol.dispose]());
  return { ipc, served, serving, page: new FakePage(ipc) };
}

test('a window speaks to the host over the bridge, and finds the next host when one dies', async (t) => {
  const images = new Source<readonly never[]>([]);
  const { page, served } = startShell(t, images);
  const client = createReconnectingClient(() => Promise.resolve(bridgeTransport(page.bridge)), { retryDelaysMs: [1] });
  t.after(() => client.close());
  assert.equal((await client.call('app.info', {})).shell, 'electron');
  const seen: number[] = [];
  client.subscribe('images', (value) => seen.push(value.length));
  await until(() => seen.length === 1);
  served[0]?.close();
  await until(() => seen.length === 2);
  assert.equal(served.length, 2);
  assert.equal(images.listenerCount, 1);
});

test('a reloaded page begins anew and the old connection is gone', async (t) => {
  const images = new Source<readonly never[]>([]);
  const { page, served } = startShell(t, images);
  for (const round of [1, 2, 3]) {
    const client = createReconnectingClient(() => Promise.resolve(bridgeTransport(page.bridge)));
    t.after(() => client.close());
    let values = 0;
    client.subscribe('images', () => (values += 1));
    await until(() => values === 1);
    assert.equal(served.length, round);
    await until(() => images.listenerCount === 1);
    if (round === 2) page.emit('did-start-navigation', { isMainFrame: true, isSameDocument: false });
  }
  page.emit('destroyed');
  await until(() => images.listenerCount === 0);
});

test('frames of other origins, of frames within the page, and before hello reach nothing', async (t) => {
  const { page, served } = startShell(t);
  const hello = { t: 'hello', version: 1 };
  page.post(hello, { url: pageUrl });
  page.post(hello, null);
  for (const url of ['https://evil.example/', 'file:///index.html', 'wherry://evil/index.html', 'nonsense']) {
    page.mainFrame = { url };
    page.post(hello);
    await settle();
  }
  page.mainFrame = { url: pageUrl };
  page.post({ t: 'call', id: 1, channel: 'vm.stop', input: {} });
  await settle();
  assert.equal(served.length, 0);
});

test('pages are sandboxed, isolated and without Node', () => {
  const preferences = hardenedPreferences('/preload.cjs', false);
  assert.deepEqual(
    [preferences.sandbox, preferences.contextIsolation, preferences.nodeIntegration, preferences.webSecurity],
    [true, true, false, true],
  );
  assert.deepEqual([preferences.webviewTag, preferences.devTools], [false, false]);
});

test('a session grants its own page copying and nothing else, and loads nothing from elsewhere', () => {
  let request: unknown;
  let check: unknown;
  let before: unknown;
  let device: unknown;
  guardSession({
    setPermissionRequestHandler: (handler: unknown) => (request = handler),
    setPermissionCheckHandler: (handler: unknown) => (check = handler),
    setDevicePermissionHandler: (handler: unknown) => (device = handler),
    webRequest: { onBeforeRequest: (handler: unknown) => (before = handler) },
  });
  const asked = (permission: string, requestingUrl: string) => {
    let answer: boolean | undefined;
    (request as (...args: unknown[]) => void)(null, permission, (value: boolean) => (answer = value), {
      requestingUrl,
    });
    assert.equal((check as (...args: unknown[]) => boolean)(null, permission, requestingUrl), answer);
    return answer;
  };
  assert.equal(asked('clipboard-sanitized-write', pageUrl), true);
  assert.equal(asked('clipboard-sanitized-write', 'https://evil.example/'), false);
  for (const permission of ['clipboard-read', 'media', 'geolocation', 'notifications', 'openExternal', 'fullscreen']) {
    assert.equal(asked(permission, pageUrl), false, permission);
  }
  assert.equal((device as () => boolean)(), false);
  const cancelled = (url: string) => {
    let cancel: boolean | undefined;
    (before as (...args: unknown[]) => void)({ url }, (answer: { cancel: boolean }) => (cancel = answer.cancel));
    return cancel;
  };
  assert.deepEqual(
    [pageUrl, 'data:image/png;base64,AA==', 'https://cdn.example/x.js', 'file:///etc/passwd', 'ws://127.0.0.1:1/'].map(
      cancelled,
    ),
    [false, false, true, true, true],
  );
});

test('a page cannot leave, open windows or embed; web links go to the browser', async () => {
  const opened: string[] = [];
  let openHandler: ((details: { url: string }) => { action: string }) | undefined;
  const contents = Object.assign(new EventEmitter(), {
    setWindowOpenHandler: (handler: typeof openHandler) => (openHandler = handler),
  });
  guardPage(contents as never, (url) => {
    opened.push(url);
    return Promise.resolve();
  });
  const prevented = (name: string, details: Record<string, unknown>) => {
    let stopped = false;
    contents.emit(name, { ...details, preventDefault: () => (stopped = true) });
    return stopped;
  };
  assert.equal(prevented('will-navigate', { url: pageUrl }), false);
  assert.equal(prevented('will-navigate', { url: 'http://127.0.0.1:8080/' }), true);
  assert.equal(prevented('will-navigate', { url: 'file:///etc/passwd' }), true);
  assert.equal(prevented('will-redirect', { url: pageUrl }), true);
  assert.equal(prevented('will-frame-navigate', { isMainFrame: false }), true);
  assert.equal(prevented('will-attach-webview', {}), true);
  assert.deepEqual(openHandler?.({ url: 'https://example.org' }), { action: 'deny' });
  assert.deepEqual(openHandler({ url: 'ms-calculator:' }), { action: 'deny' });
  await settle();
  assert.deepEqual(opened, ['http://127.0.0.1:8080/', 'https://example.org/']);
});

test('the page’s scheme serves the window’s files with the policy, and nothing beside them', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-page-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(path.join(folder, 'index.html'), '<title>Wherry</title>');
  const get = (url: string, method = 'GET') => answerPage(folder, { url, method });
  const page = await get(pageUrl);
  assert.equal(page.status, 200);
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.match(page.headers.get('content-security-policy') ?? '', /script-src 'self'; .*connect-src 'none'/);
  assert.equal((await get('wherry://app/')).status, 200);
  assert.equal((await get('wherry://app/..%2f..%2fetc%2fpasswd.txt')).status, 404);
  assert.equal((await get('wherry://app/missing.js')).status, 404);
  assert.equal((await get('wherry://other/index.html')).status, 403);
  assert.equal((await get(pageUrl, 'POST')).status, 403);
});

const noActions: MenuActions = {
  showWindow: () => undefined,
  startVm: () => undefined,
  sleepVm: () => undefined,
  stopVm: () => undefined,
  restartVm: () => undefined,
  openHome: () => undefined,
  quit: () => undefined,
  openContainer: () => undefined,
  openPort: () => undefined,
  startContainer: () => undefined,
  stopContainer: () => undefined,
};

test('menus offer what the VM’s state allows, and developer tools only in a checkout', () => {
  const labels = (vm: VmView | undefined) =>
    trayMenu(vm, [], noActions)
      .filter((item) => item.type !== 'separator' && item.visible !== false && item.enabled !== false)
      .map(({ label }) => label);
  assert.deepEqual(labels(vmView('ready')), ['Open Wherry', 'Put VM to Sleep', 'Stop VM', 'Quit']);
  assert.deepEqual(labels(vmView('sleeping')), ['Open Wherry', 'Wake VM', 'Stop VM', 'Quit']);
  assert.deepEqual(labels(vmView('absent')), ['Open Wherry', 'Start VM', 'Quit']);
  assert.deepEqual(labels({ ...vmView('ready'), state: { kind: 'stopping', step: 'guest' } }), ['Open Wherry', 'Quit']);
  const menu = (isPackaged: boolean, platform: NodeJS.Platform) =>
    JSON.stringify(applicationMenu({ platform, isPackaged, vm: vmView('ready') }, noActions));
  assert.match(menu(false, 'linux'), /toggleDevTools/);
  assert.doesNotMatch(menu(true, 'linux'), /toggleDevTools|"reload"/);
  assert.match(menu(true, 'darwin'), /hideOthers/);
});

test('a window opens where it was, unless that display is gone', async (t) => {
  const display = { x: 0, y: 0, width: 1920, height: 1080 };
  const kept = { x: 100, y: 50, width: 1000, height: 700, maximized: true };
  assert.deepEqual(placeWindow(kept, [display]), {
    bounds: { x: 100, y: 50, width: 1000, height: 700 },
    maximized: true,
  });
  assert.deepEqual(placeWindow({ ...kept, x: 4000 }, [display]).bounds, { width: 1000, height: 700 });
  assert.deepEqual(placeWindow({ ...kept, y: -500 }, [display]).bounds, { width: 1000, height: 700 });
  assert.deepEqual(placeWindow(undefined, [{ ...display, width: 1024, height: 600 }]).bounds, {
    width: 1024,
    height: 600,
  });
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-state-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'window.json');
  assert.equal(readWindowState(file), undefined);
  await writeFile(file, '{"x":1,"y":"two"}');
  assert.equal(readWindowState(file), undefined);
  await writeFile(file, JSON.stringify(kept));
  assert.deepEqual(readWindowState(file), kept);
});

test('quitting stops the VM, or puts it to sleep, only if it is ours and wanted, closes everything, and happens once', async () => {
  for (const [onQuit, owns, ends] of [
    ['stop', true, ['stop']],
    ['sleep', true, ['sleep']],
    ['stop', false, []],
    ['leave-running', true, []],
  ] as const) {
    const done: string[] = [];
    const app = Object.assign(new EventEmitter(), { exit: () => done.push('exit') });
    const quit = quitInOrder({
      app: app as never,
      settings: () => ({ onQuit }),
      ownsVm: () => owns,
      endVm: (how) => {
        done.push(how);
        return Promise.reject(new Error('did not end'));
      },
      close: () => {
        done.push('close');
        return Promise.resolve();
      },
    });
    let prevented = 0;
    for (let n = 0; n < 3; n += 1) app.emit('before-quit', { preventDefault: () => (prevented += 1) });
    assert.equal(quit.isQuitting(), true);
    await until(() => done.includes('exit'));
    assert.deepEqual(done, [...ends, 'close', 'exit']);
    assert.equal(prevented, 3);
  }
});

test('a VM that never stops does not keep the app from quitting', async () => {
  const done: string[] = [];
  const app = Object.assign(new EventEmitter(), { exit: () => done.push('exit') });
  quitInOrder({
    app: app as never,
    settings: () => ({ onQuit: 'stop' }),
    ownsVm: () => true,
    endVm: () => new Promise(() => undefined),
    close: () => Promise.resolve(),
    deadlineMs: 5,
  });
  app.emit('before-quit', { preventDefault: () => undefined });
  await until(() => done.length === 1);
});

test('a link is found among the arguments of a start, and nothing else is', () => {
  assert.deepEqual(linkIn(['/opt/Wherry/wherry', '--no-sandbox', 'wherry://containers/web/logs']), {
    noun: 'containers',
    name: 'web',
    tab: 'logs',
  });
  assert.equal(linkIn(['/opt/Wherry/wherry', '/containers/web', 'https://containers/web']), undefined);
  assert.equal(linkIn(['wherry', 'wherry://app/index.html']), undefined);
});
