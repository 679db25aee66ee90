import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import http from 'node:http';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GuestApi } from '../../../../src-main/link/guest-api.ts';
import { Link } from '../../../../src-main/link/link.ts';
import { checkBind } from '../../../../src-main/ports/bind-check.ts';
import { keepPortsChannel } from '../../../../src-main/ports/channel.ts';
import { PortForwarder } from '../../../../src-main/ports/forwarder.ts';
import { parseLsof, parsePowerShell, socketInodes } from '../../../../src-main/ports/holder.ts';
import type { VmState, VmView } from '../../../../src-main/contract/vm.ts';
import { servePorts } from '../../../../src-main/ports/ports.ts';
import type { HostForwards, PortForward, RunningVm } from '../../../../src-main/vm/backend.ts';
import type { PortMessageToGuest, PortMessageToHost, WantedPort } from '../../../../vm/contract/wherry-api.ts';
import { startFakeGuest } from '../../../helpers/ssh-guest.ts';
import { until } from '../../../helpers/until.ts';

function wanted(hostPort: number, guestPort = 49_152, rest: Partial<WantedPort> = {}): WantedPort {
  return { protocol: 'tcp', hostIp: '127.0.0.1', hostPort, guestPort, containerId: 'c', ...rest };
}

/** A VM whose forwards are a list; adding one that is there twice fails, as in QEMU. */
function fakeVm(initial: readonly PortForward[] = []): HostForwards & { readonly log: string[]; list: PortForward[] } {
  const vm = {
    log: [] as string[],
    list: [...initial],
    forwards: () => Promise.resolve(vm.list),
    addForward: (forward: PortForward) => {
      vm.log.push(`add ${forward.protocol} ${forward.hostPort}→${forward.guestPort}`);
      vm.list = [...vm.list, forward];
      return Promise.resolve();
    },
    removeForward: (port: Omit<PortForward, 'guestPort'>) => {
      vm.log.push(`remove ${port.protocol} ${port.hostPort}`);
      vm.list = vm.list.filter((each) => !(each.protocol === port.protocol && each.hostPort === port.hostPort));
      return Promise.resolve();
    },
  };
  return vm;
}

const free = () => Promise.resolve(undefined);

test('sync makes the rules exactly what is wanted: stale ones go, present ones stay, missing ones come', async () => {
  const vm = fakeVm([
    { protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 1000, guestPort: 1 },
    { protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 2000, guestPort: 2 },
  ]);
  const forwarder = new PortForwarder(vm, free);
  const ports = [wanted(2000, 2), wanted(3000, 3, { protocol: 'udp' })];
  assert.deepEqual(await forwarder.handle({ kind: 'sync', id: 1, ports }), []);
  assert.deepEqual(vm.log, ['remove tcp 1000', 'add udp 3000→3']);
  assert.deepEqual(await forwarder.handle({ kind: 'sync', id: 2, ports }), []);
  assert.equal(vm.log.length, 2, 'a second sync changes nothing');
});

test('a port that leads elsewhere now is not removed in the name of an older wish', async () => {
  const vm = fakeVm([{ protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 1000, guestPort: 7 }]);
  const forwarder = new PortForwarder(vm, free);
  await forwarder.handle({ kind: 'remove', id: 1, port: wanted(1000, 6) });
  assert.deepEqual(vm.log, []);
  await forwarder.handle({ kind: 'remove', id: 2, port: wanted(1000, 7) });
  assert.deepEqual(vm.log, ['remove tcp 1000']);
});

test('requests at once are done one after the other: two cannot both get a port', async () => {
  const vm = fakeVm();
  const forwarder = new PortForwarder(vm, free);
  const outcomes = await Promise.all([
    forwarder.handle({ kind: 'add', id: 1, port: wanted(1000, 1) }),
    forwarder.handle({ kind: 'add', id: 2, port: wanted(1000, 2) }),
  ]);
  assert.deepEqual(outcomes[0], []);
  assert.equal(outcomes[1][0]?.reason, 'taken');
  assert.deepEqual(vm.log, ['add tcp 1000→1']);
});

test('a taken TCP port names its holder', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const problem = await checkBind({ protocol: 'tcp', hostIp: '127.0.0.1', hostPort: port });
    assert.equal(problem?.reason, 'taken');
    if (process.platform === 'linux') assert.match(problem.message, new RegExp(`process ${process.pid}$`));
    assert.equal((await checkBind({ protocol: 'tcp', hostIp: '0.0.0.0', hostPort: port }))?.reason, 'taken');
  } finally {
    server.close();
  }
  await once(server, 'close');
  assert.equal(await checkBind({ protocol: 'tcp', hostIp: '127.0.0.1', hostPort: port }), undefined);
});

test('a taken UDP port is told from a free one', async () => {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const check = { protocol: 'udp', hostIp: '127.0.0.1', hostPort: port } as const;
  assert.equal((await checkBind(check))?.reason, 'taken');
  socket.close();
  await once(socket, 'close');
  assert.equal(await checkBind(check), undefined);
});

test('an address that is not ours is no taken port', async () => {
  const problem = await checkBind({ protocol: 'tcp', hostIp: '203.0.113.7', hostPort: 40_000 });
  assert.equal(problem?.reason, 'other');
  assert.match(problem.message, /203\.0\.113\.7/);
});

test('holders are read out of each platform’s words', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0 100 0 0 10 0',
    '   1: 0100007F:1F90 0100007F:A000 01 00000000:00000000 00:00000000 00000000  1000        0 4343 1 0 20 4 30 10 -1',
  ].join('\n');
  assert.deepEqual(socketInodes(table, 'tcp', 8080), ['4242']);
  assert.deepEqual(socketInodes(table, 'tcp', 8081), []);
  assert.deepEqual(parseLsof('p812\ncnginx\nf6\n'), { pid: 812, name: 'nginx' });
  assert.equal(parseLsof(''), undefined);
  assert.deepEqual(parsePowerShell('4321 com.docker.backend\r\n'), { pid: 4321, name: 'com.docker.backend' });
  assert.equal(parsePowerShell('Get-Process : error'), undefined);
});

/** The guest's end: an HTTP server that upgrades, as the agent's does. */
async function startPortsGuest() {
  const channels: Duplex[] = [];
  // The server forgets upgraded sockets: they are ours to close.
  const all = new Set<Duplex>();
  const waiting: ((channel: Duplex) => void)[] = [];
  const server = http.createServer((_request, response) => {
    response.statusCode = 404;
    response.end();
  });
  server.on('upgrade', (request, socket: Duplex) => {
    assert.equal(request.url, '/wherry/v1/ports');
    all.add(socket);
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    const next = waiting.shift();
    if (next === undefined) channels.push(socket);
    else next(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const guest = await startFakeGuest({
    engine: (channel) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => channel.destroy());
      channel.on('error', () => socket.destroy());
      channel.pipe(socket).pipe(channel);
    },
  });
  return {
    guest,
    channel: (): Promise<Duplex> => {
      const present = channels.shift();
      return present === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(present);
    },
    async [Symbol.asyncDispose]() {
      await guest[Symbol.asyncDispose]();
      server.close();
      server.closeAllConnections();
      for (const channel of all) channel.destroy();
    },
  };
}

async function ask(channel: Duplex, message: PortMessageToHost): Promise<PortMessageToGuest> {
  const answer = once(channel, 'data');
  channel.write(`${JSON.stringify(message)}\n`);
  const [chunk] = (await answer) as [Buffer];
  return JSON.parse(chunk.toString()) as PortMessageToGuest;
}

test('the channel is kept open over the link, answers in order, and comes back after a cut', async () => {
  await using guest = await startPortsGuest();
  await using link = new Link();
  await link.connect(guest.guest.target);
  const over = new AbortController();
  const api = new GuestApi(link);
  const seen: string[] = [];
  const kept = keepPortsChannel(
    {
      open: (signal) => api.upgrade('/wherry/v1/ports', signal),
      handle: (message) => {
        seen.push(message.kind);
        const failed =
          message.kind === 'add' ? [{ port: message.port, reason: 'taken' as const, message: 'by x' }] : [];
        return Promise.resolve(failed);
      },
    },
    over.signal,
  );
  const first = await guest.channel();
  assert.deepEqual(await ask(first, { kind: 'sync', id: 1, ports: [] }), { kind: 'done', id: 1, failed: [] });
  const port = wanted(1000);
  assert.deepEqual(await ask(first, { kind: 'add', id: 2, port }), {
    kind: 'done',
    id: 2,
    failed: [{ port, reason: 'taken', message: 'by x' }],
  });
  guest.guest.cut();
  const second = await guest.channel();
  assert.equal((await ask(second, { kind: 'sync', id: 3, ports: [port] })).id, 3);
  assert.deepEqual(seen, ['sync', 'add', 'sync']);
  over.abort();
  await kept;
});

test('a guest that speaks nonsense is cut off and asked anew', async () => {
  await using guest = await startPortsGuest();
  await using link = new Link();
  await link.connect(guest.guest.target);
  const over = new AbortController();
  const api = new GuestApi(link);
  const kept = keepPortsChannel(
    { open: (signal) => api.upgrade('/wherry/v1/ports', signal), handle: () => Promise.resolve([]) },
    over.signal,
  );
  const first = await guest.channel();
  const closed = once(first, 'end');
  first.resume();
  first.write('{"kind":"add","id":1,"port":{"hostIp":"127.0.0.1 -net0"}}\n');
  await closed;
  assert.equal((await ask(await guest.channel(), { kind: 'sync', id: 1, ports: [] })).id, 1);
  over.abort();
  await kept;
});

/** A machine as `servePorts` sees it: told by the test what becomes of its VM. */
function fakeMachine(forwards: HostForwards) {
  let view = { state: { kind: 'absent' } } as VmView;
  let onView = (_view: VmView): void => undefined;
  let onReady = (_vm: RunningVm): void => undefined;
  let exit = (): void => undefined;
  const set = (state: VmState): void => onView((view = { ...view, state }));
  return {
    get view() {
      return view;
    },
    onChange: (listener: typeof onView) => ((onView = listener), () => undefined),
    onReady: (listener: typeof onReady) => ((onReady = listener), () => undefined),
    set,
    ready() {
      const exited = new Promise<{ detail: string }>((resolve) => (exit = () => resolve({ detail: '' })));
      set({ kind: 'ready', sinceMs: 0, bootTookMs: 0 });
      onReady({ monitorForwards: forwards, exited } as unknown as RunningVm);
    },
    fallAsleep() {
      set({ kind: 'sleeping', step: 'saving' });
      exit();
      set({ kind: 'sleeping', step: 'saved' });
    },
  };
}

const asks = async (port: number): Promise<string> => text(net.connect({ host: '127.0.0.1', port }));

/** Tries until somebody listens. Binding the port to see whether it is taken would take it from who is about to. */
async function asksWhenHeld(port: number): Promise<{ readonly answer: Promise<string> }> {
  for (;;) {
    const client = net.connect({ host: '127.0.0.1', port });
    const isOpen = await once(client, 'connect').then(
      () => true,
      () => false,
    );
    const answer = text(client);
    answer.catch(() => undefined);
    if (isOpen) return { answer };
    await sleep(10);
  }
}

test('a VM that sleeps is woken by its ports, also by way of a later process, and has them again after', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-ports-'));
  t.after(() => rm(folder, { recursive: true }));
  await using guest = await startPortsGuest();
  await using link = new Link();
  await link.connect(guest.guest.target);
  const server = net.createServer((socket) => socket.end('from the guest'));
  const free = net.createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  free.close();
  /** Forwarded by this process, as QEMU does it by itself. */
  const vm = fakeVm();
  vm.addForward = async (forward) => {
    server.listen(forward.hostPort, forward.hostIp);
    await once(server, 'listening');
    vm.list = [...vm.list, forward];
  };
  const machine = fakeMachine(vm);
  const woken: string[] = [];
  const serve = (name: string): AsyncDisposable =>
    servePorts({
      ...{ machine, link, file },
      wake: () => Promise.resolve(void woken.push(name)),
    });
  const sync = (ports: readonly WantedPort[]): PortMessageToHost => ({ kind: 'sync', id: 1, ports: [...ports] });
  const file = path.join(folder, 'ports.json');
  const fallAsleep = (): void => {
    vm.list = [];
    server.close();
    machine.fallAsleep();
  };
  {
    await using _ = serve('first');
    machine.ready();
    await ask(await guest.channel(), sync([wanted(port)]));
    assert.equal(await asks(port), 'from the guest');
    fallAsleep();
    await until('the ports are remembered', () => existsSync(file));
  }
  await assert.rejects(asks(port), { code: 'ECONNREFUSED' }, 'nobody listens between the two');
  await using _ = serve('second');
  const waiting = await asksWhenHeld(port);
  await until('it is woken', () => woken.length > 0);
  machine.set({ kind: 'resuming', startedAtMs: 0 });
  machine.ready();
  await ask(await guest.channel(), sync([wanted(port)]));
  assert.equal(await waiting.answer, 'from the guest');
  assert.equal(await asks(port), 'from the guest');
  assert.deepEqual(woken, ['second']);

  fallAsleep();
  const unwanted = await asksWhenHeld(port);
  await until('it is woken', () => woken.length > 1);
  machine.ready();
  const channel = await guest.channel();
  await ask(channel, sync([]));
  await assert.rejects(unwanted.answer, { code: 'ECONNRESET' }, 'its container has gone meanwhile');

  await ask(channel, sync([wanted(port)]));
  fallAsleep();
  const last = await asksWhenHeld(port);
  machine.set({ kind: 'absent' });
  await assert.rejects(last.answer, { code: 'ECONNRESET' });
  await assert.rejects(asks(port), { code: 'ECONNREFUSED' });
});
