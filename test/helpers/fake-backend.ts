/** A VM back end whose guests are ssh2 servers in this process: the whole host core runs on it, without QEMU. */
import http from 'node:http';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { identify } from '../../src-main/process-identity.ts';
import type { HomePaths } from '../../src-main/home.ts';
import type { MachineSpec, RunningVm, StateFile, VmBackend, VmRecord } from '../../src-main/vm/backend.ts';
import type { GuestHealth, StageHealth } from '../../vm/contract/wherry-api.ts';
import { startFakeGuest, type FakeGuest } from './ssh-guest.ts';

export interface FakeBackendOptions {
  readonly paths: HomePaths;
  /** Called before each start with its number from 1; may throw, or wait. */
  readonly onStart?: (attempt: number, signal: AbortSignal | undefined) => Promise<void> | void;
  /** Called before a state is loaded; may throw, or wait. */
  readonly onRestore?: (signal: AbortSignal | undefined) => Promise<void> | void;
  /** Called while a state is being saved, the guest halted. */
  readonly onSave?: (vm: FakeVm, signal: AbortSignal | undefined) => Promise<void> | void;
  /** What the guest does, for which it refuses to sleep. */
  readonly doing?: (query: string) => string | undefined;
  /** What the guest says of its disk. */
  readonly disk?: () => StageHealth;
  /** False: the guest ignores being asked to shut down. */
  readonly obeys?: boolean;
}

const ok: StageHealth = { state: 'ok', detail: '' };

export class FakeBackend implements VmBackend {
  readonly kind = 'qemu';
  readonly capabilities = { network: 'static' } as const;
  readonly vms: FakeVm[] = [];
  starts = 0;
  /** Of QEMU, say. */
  version = '7.2.22';
  /** The states that were restored. */
  readonly restores: string[] = [];
  readonly #options: FakeBackendOptions;

  constructor(options: FakeBackendOptions) {
    this.#options = options;
  }

  probe() {
    return Promise.resolve({ accelerator: 'kvm', version: '7.2.22', warnings: [] } as const);
  }

  prepareDisk(_file: string, sizeBytes: number) {
    return Promise.resolve({ created: true, grown: false, sizeBytes });
  }

  async start(machine: MachineSpec, signal?: AbortSignal): Promise<RunningVm> {
    this.starts++;
    await this.#options.onStart?.(this.starts, signal);
    const vm = await FakeVm.start(machine, this.#options, await this.fingerprint(machine), 'running');
    this.vms.push(vm);
    return vm;
  }

  fingerprint({ cpus, memoryMiB, image }: MachineSpec): Promise<string> {
    return Promise.resolve(JSON.stringify([this.version, cpus, memoryMiB, image.id]));
  }

  async restore(machine: MachineSpec, state: StateFile, signal?: AbortSignal): Promise<RunningVm> {
    this.restores.push(await readFile(state.path, 'utf8'));
    await this.#options.onRestore?.(signal);
    const vm = await FakeVm.start(machine, this.#options, await this.fingerprint(machine), 'paused');
    this.vms.push(vm);
    return vm;
  }

  attach(record: VmRecord): Promise<RunningVm | undefined> {
    return Promise.resolve(this.vms.find((vm) => vm.record.name === record.name && vm.alive));
  }
}

export class FakeVm implements RunningVm {
  readonly record: VmRecord;
  readonly monitorForwards = undefined;
  readonly exited: Promise<{ readonly detail: string }>;
  /** What was asked of it, in order. */
  readonly log: string[] = [];
  readonly guest: FakeGuest;
  readonly #options: FakeBackendOptions;
  readonly #engine: http.Server;
  #exit: (outcome: { readonly detail: string }) => void = () => undefined;
  alive = true;
  state: 'running' | 'paused' = 'running';

  private constructor(record: VmRecord, guest: FakeGuest, engine: http.Server, options: FakeBackendOptions) {
    this.record = record;
    this.guest = guest;
    this.#engine = engine;
    this.#options = options;
    this.exited = new Promise((resolve) => (this.#exit = resolve));
  }

  static async start(
    machine: MachineSpec,
    options: FakeBackendOptions,
    fingerprint: string,
    state: 'running' | 'paused',
  ): Promise<FakeVm> {
    const running: { vm?: FakeVm } = {};
    const engine = http.createServer((request, response) => {
      const url = request.url ?? '';
      if (url === '/_ping') response.end('OK');
      else if (url === '/wherry/v1/health') response.end(JSON.stringify(health(options.disk?.() ?? ok)));
      else if (url.startsWith('/wherry/v1/sleep')) {
        const doing = options.doing?.(url);
        if (doing === undefined) response.writeHead(204).end();
        else response.writeHead(409).end(JSON.stringify({ message: `${doing} is under way` }));
      } else if (url === '/wherry/v1/wake') {
        running.vm?.log.push('wake');
        response.writeHead(204).end();
      } else if (url.startsWith('/wherry/v1/shutdown')) {
        running.vm?.log.push('shutdown');
        response.writeHead(202).end();
        if (options.obeys !== false) setImmediate(() => void running.vm?.die(''));
      } else response.writeHead(404).end('{"message":"page not found"}');
    });
    engine.listen(0, '127.0.0.1');
    await once(engine, 'listening');
    const { port } = engine.address() as AddressInfo;
    const guest = await startFakeGuest({
      keys: await keysOf(options.paths),
      engine: (channel) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.on('error', () => channel.destroy());
        channel.on('error', () => socket.destroy());
        channel.pipe(socket).pipe(channel);
      },
    });
    const process_ = await identify(process.pid);
    if (process_ === undefined) throw new Error('no own identity');
    const record: VmRecord = {
      version: 1,
      backend: 'qemu',
      process: process_,
      name: machine.name,
      accelerator: machine.accelerator,
      backendVersion: '7.2.22',
      ssh: { host: guest.target.host, port: guest.target.port },
      imageId: machine.image.id,
      fingerprint,
      cpus: machine.cpus,
      memoryMiB: machine.memoryMiB,
      startedAtMs: Date.now(),
    };
    const vm = new FakeVm(record, guest, engine, options);
    vm.state = state;
    running.vm = vm;
    return vm;
  }

  status() {
    return Promise.resolve(this.state);
  }

  async save(path: string, signal?: AbortSignal): Promise<StateFile> {
    this.state = 'paused';
    this.log.push('save');
    try {
      signal?.throwIfAborted();
      await this.#options.onSave?.(this, signal);
      signal?.throwIfAborted();
    } catch (error) {
      await this.go();
      throw error;
    }
    await writeFile(path, 'all of its memory');
    return { path, sizeBytes: 17, checksum: 1 };
  }

  go(): Promise<void> {
    if (this.state === 'paused') this.log.push('go');
    this.state = 'running';
    return Promise.resolve();
  }

  powerButton(): Promise<void> {
    this.log.push('power button');
    if (this.#options.obeys !== false) setImmediate(() => void this.die(''));
    return Promise.resolve();
  }

  async kill(): Promise<void> {
    this.log.push('kill');
    await this.die('');
  }

  /** Its process ends, saying this. */
  async die(detail: string): Promise<void> {
    if (!this.alive) return;
    this.alive = false;
    this.#engine.close();
    this.#engine.closeAllConnections();
    await this.guest[Symbol.asyncDispose]();
    this.#exit({ detail });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Letting go of it ends nothing.
  }
}

function health(disk: StageHealth): GuestHealth {
  return { agent: { version: '1', pid: 1, startedAtMs: 1, instanceId: 'i' }, disk, network: ok, engine: ok };
}

/** The keys that the host made for this VM. */
async function keysOf(paths: HomePaths) {
  const pair = async (file: string): Promise<{ private: string; public: string }> => ({
    private: await readFile(file, 'utf8'),
    public: await readFile(`${file}.pub`, 'utf8'),
  });
  return { host: await pair(paths.vm.hostKey), client: await pair(paths.vm.clientKey) };
}

/** Writes a guest image of a few bytes that passes its own checks; returns its folder. */
export async function writeTinyImage(root: string, more = ''): Promise<string> {
  const folder = path.join(root, process.arch === 'arm64' ? 'arm64' : 'amd64');
  await mkdir(folder, { recursive: true });
  const files: Record<string, { sha256: string; sizeBytes: number }> = {};
  for (const name of ['vmlinuz', 'initramfs.img', 'system.erofs']) {
    await writeFile(path.join(folder, name), name + more);
    files[name] = {
      sha256: createHash('sha256')
        .update(name + more)
        .digest('hex'),
      sizeBytes: name.length + more.length,
    };
  }
  const arch = path.basename(folder);
  await writeFile(path.join(folder, 'manifest.json'), JSON.stringify({ version: '1', arch, files }));
  return folder;
}
