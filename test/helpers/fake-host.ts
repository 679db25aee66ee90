/**
 * A scripted host for driving the window without a VM: implements the whole contract in memory. For tests only; what it
 * answers says nothing about the product's host, only what the window does with such answers.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../src-main/contract/errors.ts';
import {
  defaultNetwork,
  defaultTerminal,
  vmStages,
  type Settings,
  type VmStage,
  type VmState,
  type VmView,
} from '../../src-main/contract/vm.ts';
import type { ContainerState, ContainerView, ImageView, TerminalView } from '../../src-main/contract/engine.ts';
import type { Handlers } from '../../src-main/handlers/handlers.ts';
import { containerOf, processesOf, usualContainers, usualImages } from './window-fixtures.ts';
import { FakeDockerContext } from './fake-docker-context.ts';
import { FakeEdits } from './fake-edits.ts';
import { FakeRegistries } from './fake-registries.ts';
import { FakeFiles } from './fake-files.ts';
import { FakeLayers } from './fake-layers.ts';
import { FakeObjects } from './fake-objects.ts';
import { Source } from './handlers.ts';
import { consoleText, logs, type LogStyle } from './fake-streams.ts';
import { fakeStats } from './fake-stats.ts';
import { FakeTransfers } from './fake-transfers.ts';
import { FakeVolumes } from './fake-volumes.ts';
import { FakeTerminals } from './fake-terminals.ts';

const stageLabels: Readonly<Record<VmStage, string>> = {
  prepare: 'Preparing files and disks',
  process: 'Starting the virtual machine',
  monitor: 'Waiting for the machine monitor',
  ssh: 'Waiting for the secure link',
  agent: 'Waiting for the agent',
  disk: 'Mounting the data disk',
  network: 'Setting up the network',
  engine: 'Waiting for the engine to answer',
};

export class FakeHost {
  readonly vm = new Source<VmView>(viewOf({ kind: 'ready', sinceMs: Date.now() - 7_200_000, bootTookMs: 6_310 }));
  readonly settings = new Source<Settings>({
    vm: { cpus: 2, memoryMiB: 2048, diskGiB: 64, accelerator: 'auto', backend: 'auto' },
    network: defaultNetwork,
    appearance: { theme: 'system' },
    terminal: defaultTerminal,
    desktop: { onClose: 'hide', startAtLogin: false, notifications: true },
    onQuit: 'leave-running',
    sleepAfterMinutes: 5,
  });
  readonly images = new Source<readonly ImageView[]>(usualImages());
  readonly containers = new Source<readonly ContainerView[]>(usualContainers());
  readonly terminalViews = new Source<readonly TerminalView[]>([]);
  readonly terminals = new FakeTerminals((views) => this.terminalViews.set(views));
  readonly objects = new FakeObjects(this.images, this.containers, (channel, input, run) =>
    this.#record(channel, input, run),
  );
  readonly transfers = new FakeTransfers(this.objects.tasks, this.images, (channel, input, run) =>
    this.#record(channel, input, run),
  );
  readonly files = new FakeFiles(this.objects.tasks, (channel, input, run) => this.#record(channel, input, run));
  readonly volumeTransfers = new FakeVolumes(this.objects.tasks, this.objects.volumes, (channel, input, run) =>
    this.#record(channel, input, run),
  );
  readonly layers = new FakeLayers((channel, input, run) => this.#record(channel, input, run));
  readonly registries = new FakeRegistries((channel, input, run) => this.#record(channel, input, run));
  readonly edits = new FakeEdits(this.containers);
  shell: { shell: 'electron' | 'web'; canStartAtLogin: boolean } = { shell: 'web', canStartAtLogin: false };
  readonly dockerContext = new FakeDockerContext((channel, input, run) => this.#record(channel, input, run));
  logStyle: LogStyle = 'web';
  bootStepMs = 400;
  /** Containers whose statistics are watched now. */
  statsWatched: readonly string[] = [];
  /** The stage the next boot fails at. */
  failAt: VmStage | undefined;
  /** Calls as they came, for asserting that a click did what it says. */
  readonly called: { readonly channel: string; readonly input: unknown }[] = [];
  /** Set: the named call fails with this. */
  readonly failures = new Map<string, AppError>();

  setState(state: VmState, link: VmView['link'] = state.kind === 'ready' ? 'up' : 'none'): void {
    this.vm.set(viewOf(state, link));
  }

  async boot(): Promise<void> {
    const startedAtMs = Date.now();
    for (const stage of vmStages) {
      this.setState({ kind: 'booting', stage, attempt: 1, startedAtMs });
      await sleep(this.bootStepMs);
      if (stage === this.failAt) {
        this.setState({
          kind: 'failed',
          stage,
          message: `${stageLabels[stage]}: no answer within 30 s`,
          hint: 'Look at the serial console below, then try again; the doctor checks every stage.',
        });
        throw new AppError('vm-failed', `start the engine: ${stageLabels[stage]}: no answer within 30 s`);
      }
    }
    this.setState({ kind: 'ready', sinceMs: Date.now(), bootTookMs: Date.now() - startedAtMs });
  }

  async resume(): Promise<void> {
    const startedAtMs = Date.now();
    this.setState({ kind: 'resuming', startedAtMs });
    await sleep(this.bootStepMs);
    this.setState({ kind: 'ready', sinceMs: Date.now(), bootTookMs: Date.now() - startedAtMs });
  }

  readonly handlers: Handlers = {
    calls: {
      'app.info': () => ({ version: '0.1.0', platform: 'linux', home: '/home/sam/.wherry', ...this.shell }),
      'app.openExternal': () => undefined,
      'vm.start': () =>
        this.#record('vm.start', {}, () => (this.vm.current.state.kind === 'sleeping' ? this.resume() : this.boot())),
      'vm.sleep': () =>
        this.#record('vm.sleep', {}, async () => {
          this.setState({ kind: 'sleeping', step: 'saving' });
          await sleep(this.bootStepMs);
          this.setState({ kind: 'sleeping', step: 'saved' });
        }),
      'vm.stop': () =>
        this.#record('vm.stop', {}, async () => {
          this.setState({ kind: 'stopping', step: 'guest' });
          await sleep(this.bootStepMs);
          this.setState({ kind: 'absent' });
        }),
      'vm.restart': () => this.#record('vm.restart', {}, () => this.boot()),
      'vm.mend': () =>
        this.#record('vm.mend', {}, () => {
          this.failAt = undefined;
          return this.boot();
        }),
      'vm.reset': () =>
        this.#record('vm.reset', {}, async () => {
          this.containers.set([]);
          this.images.set([]);
          await this.boot();
        }),
      'vm.usage': () => ({
        disk: { limitBytes: 64 * 1024 ** 3, heldBytes: 9.1 * 1024 ** 3, usedBytes: 6.4 * 1024 ** 3 },
        memory: { limitBytes: 6 * 1024 ** 3, heldBytes: 1.2 * 1024 ** 3 },
      }),
      'diagnostics.report': () => this.#record('diagnostics.report', {}, () => ({ text: '== About\n' })),
      'diagnostics.doctor': () =>
        this.#record('diagnostics.doctor', {}, async () => {
          await sleep(300);
          return [
            { name: 'QEMU', state: 'ok', detail: '10.0.2 at /usr/bin/qemu-system-x86_64' },
            {
              name: 'Hardware virtualisation',
              state: 'warning',
              detail: '/dev/kvm cannot be opened: permission denied',
              remedy: 'Add yourself to the kvm group: sudo usermod -aG kvm $USER, then log in again.',
            },
            { name: 'Guest image', state: 'ok', detail: 'dist/guest/amd64, 63.8 MB' },
            { name: 'Secure link', state: 'ok', detail: 'up for 2 hours, 3 ms' },
            { name: 'Engine', state: 'ok', detail: 'API 1.47 answers in 4 ms' },
            { name: 'Hyper-V', state: 'skipped', detail: 'Windows only' },
          ] as const;
        }),
      'settings.get': () => this.settings.current,
      'settings.set': ({ settings }) =>
        this.#record('settings.set', settings, () => {
          const { vm: before, network } = this.settings.current;
          this.settings.set(settings);
          const isSame = JSON.stringify(network) === JSON.stringify(settings.network);
          return {
            needsRestart: [...(before.cpus === settings.vm.cpus ? [] : ['cpus']), ...(isSame ? [] : ['network'])],
          };
        }),
      ...this.dockerContext.calls,
      'images.inspect': ({ id }) => {
        const found = this.#image(id);
        return {
          ...found,
          architecture: 'amd64',
          os: 'linux',
          command: ['nginx', '-g', 'daemon off;'],
          entrypoint: ['/docker-entrypoint.sh'],
          environment: ['PATH=/usr/local/sbin:/usr/local/bin', 'NGINX_VERSION=1.29.3'],
          exposedPorts: ['80/tcp'],
          volumes: [],
          user: '',
          workingFolder: '/',
          history: [
            {
              createdBy: '/bin/sh -c #(nop) ADD file:9a4f77dfaba7fd2aa78186e4ef0e7486ad55101ceb',
              sizeBytes: 78_600_000,
              createdAtMs: found.createdAtMs,
              empty: false,
              sharedWith: ['debian:trixie-slim', 'shop/\u202eexe', '<b>x</b>', 'redis:8-alpine', 'postgres:17'],
            },
            { createdBy: 'ENV NGINX_VERSION=1.29.3', sizeBytes: 0, createdAtMs: found.createdAtMs, empty: true },
            {
              createdBy: 'RUN /bin/sh -c set -x && groupadd --system --gid 101 nginx && apt-get install -y nginx',
              sizeBytes: 113_000_000,
              createdAtMs: found.createdAtMs,
              empty: false,
              sharedWith: [],
            },
            {
              createdBy: 'COPY docker-entrypoint.sh / # buildkit',
              sizeBytes: 1_620,
              createdAtMs: found.createdAtMs,
              empty: false,
            },
            {
              createdBy: 'CMD ["nginx" "-g" "daemon off;"]',
              sizeBytes: 0,
              createdAtMs: found.createdAtMs,
              empty: true,
            },
          ],
        };
      },
      'images.remove': ({ id, force }) =>
        this.#record('images.remove', { id, force }, () => {
          const found = this.#image(id);
          this.images.set(this.images.current.filter((other) => other !== found));
          return { untagged: found.tags, deleted: [found.id] };
        }),
      ...this.objects.calls,
      'images.push': this.transfers.push,
      ...this.files.calls,
      ...this.layers.calls,
      ...this.volumeTransfers.calls,
      ...this.registries.calls,
      'containers.run': (request) =>
        this.#record('containers.run', request, () => {
          const names = new Set(this.containers.current.map(({ name }) => name));
          const view = containerOf(request, this.#image(request.image).id, names);
          this.containers.set([view, ...this.containers.current]);
          return { id: view.id, warnings: [] };
        }),
      'containers.inspect': ({ id }) => this.edits.details(this.#container(id)),
      'containers.top': ({ id }) => processesOf(this.#container(id)),
      'containers.edit': ({ id, edit }) =>
        this.#record('containers.edit', { id, edit }, () => this.edits.edit(this.#container(id), edit)),
      'containers.acceptEdit': ({ id }) =>
        this.#record('containers.acceptEdit', { id }, () => this.edits.accept(this.#container(id))),
      'containers.rollBackEdit': ({ id }) =>
        this.#record('containers.rollBackEdit', { id }, () => this.edits.rollBack(this.#container(id))),
      'containers.start': ({ id }) => this.#turn('containers.start', id, 'running', 'Up Less than a second'),
      'containers.stop': ({ id }) => this.#turn('containers.stop', id, 'exited', 'Exited (0) Less than a second ago'),
      'containers.restart': ({ id }) => this.#turn('containers.restart', id, 'running', 'Up Less than a second'),
      'containers.kill': ({ id }) => this.#turn('containers.kill', id, 'exited', 'Exited (137) Less than a second ago'),
      'containers.pause': ({ id }) => this.#turn('containers.pause', id, 'paused', 'Up 3 hours (Paused)'),
      'containers.unpause': ({ id }) => this.#turn('containers.unpause', id, 'running', 'Up 3 hours'),
      'containers.rename': ({ id, name }) =>
        this.#record('containers.rename', { id, name }, () => this.#replace(id, { name })),
      'containers.remove': (input) =>
        this.#record('containers.remove', input, () => {
          const found = this.#container(input.id);
          this.containers.set(this.containers.current.filter((other) => other !== found));
        }),
      'terminals.open': ({ containerId, command = [], user, toolbox }) =>
        this.#record('terminals.open', { containerId, command, user, toolbox }, () =>
          this.terminals.open(containerId, this.#container(containerId).name, command),
        ),
      'terminals.close': ({ id }) => this.#record('terminals.close', { id }, () => this.terminals.close(id)),
    },
    topics: {
      vm: this.vm,
      settings: this.settings,
      images: this.images,
      containers: this.containers,
      volumes: this.objects.volumes,
      networks: this.objects.networks,
      registries: this.registries.view,
      tasks: this.objects.tasks.views,
      terminals: this.terminalViews,
    },
    streams: {
      'logs.follow': (input, { signal }) => logs(this.logStyle, input, signal),
      'containers.stats': fakeStats((ids) => (this.statsWatched = ids)),
      'terminals.attach': ({ id }, context) => this.terminals.attach(id, context),
      ...this.transfers.streams,
      ...this.files.streams,
      ...this.volumeTransfers.streams,
      'vm.console': (_input, { signal }) => serialConsole(signal),
      'engine.events': ({ history = false }, { signal }) => this.objects.events(history, signal),
    },
  };

  async #record<T>(channel: string, input: unknown, run: () => T | Promise<T>): Promise<T> {
    this.called.push({ channel, input });
    const failure = this.failures.get(channel);
    if (failure) throw failure;
    return run();
  }

  #turn(channel: string, id: string, state: ContainerState, status: string): Promise<void> {
    return this.#record(channel, { id }, async () => {
      await sleep(250);
      this.#replace(id, { state, status });
    });
  }

  #replace(id: string, values: Partial<ContainerView>): void {
    this.#container(id);
    this.containers.set(this.containers.current.map((view) => (view.id === id ? { ...view, ...values } : view)));
  }

  #container(id: string): ContainerView {
    const found = this.containers.current.find((view) => view.id === id);
    if (!found) throw new AppError('not-found', `${id.slice(0, 12)}: no such container`, { status: 404 });
    return found;
  }

  #image(id: string): ImageView {
    const found = this.images.current.find((view) => view.id === id || view.tags.includes(id));
    if (!found) {
      throw new AppError('not-found', `${id}: no such image`, { hint: 'Pull the image first.', status: 404 });
    }
    return found;
  }
}

function viewOf(state: VmState, link: VmView['link'] = 'up'): VmView {
  const at = 'stage' in state ? vmStages.indexOf(state.stage) : state.kind === 'ready' ? vmStages.length : -1;
  return {
    state,
    link,
    stages: vmStages.map((stage, index) => ({
      stage,
      label: stageLabels[stage],
      state: index < at ? 'done' : index > at ? 'waiting' : state.kind === 'failed' ? 'failed' : 'running',
      ...(index < at ? { tookMs: 180 + index * 240 } : {}),
    })),
    backend: { kind: 'qemu', accelerator: 'tcg', version: '10.0.2' },
    dockerHost: 'unix:///home/sam/.wherry/docker.sock',
    warnings: [],
  };
}

async function* serialConsole(signal: AbortSignal) {
  yield { data: consoleText };
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
