/** Every call, topic and stream of the contract, over the host's services. */
import { once } from 'node:events';
import type { EngineEvent } from '../contract/engine.ts';
import { AppError } from '../contract/errors.ts';
import { diagnosticReport } from '../diagnostics/report.ts';
import { containerSummaries } from '../engine/api.ts';
import { DockerContext } from '../engine/docker-context.ts';
import { EngineClient } from '../engine/client.ts';
import { EngineFeed } from '../engine/events.ts';
import { StatsFeed } from '../engine/stats-feed.ts';
import { dockerHost, homePaths } from '../home.ts';
import { GuestApi } from '../link/guest-api.ts';
import { RegistryLogins } from '../registries/logins.ts';
import type { HostServices } from '../services.ts';
import { Tasks } from '../tasks/tasks.ts';
import { Terminals } from '../terminals/terminals.ts';
import { IdleSleep } from '../vm/idle-sleep.ts';
import { vmUsage } from '../vm/usage.ts';
import { shellCalls, type ShellFacts } from './app.ts';
import { ContainerHandlers } from './containers.ts';
import { FileHandlers } from './files.ts';
import type { Handlers, StreamHandler } from './handlers.ts';
import { ImageLayerHandlers } from './image-layers.ts';
import { ImageTransferHandlers } from './image-transfers.ts';
import { ImageHandlers } from './images.ts';
import { LogHandlers } from './logs.ts';
import { NetworkHandlers } from './networks.ts';
import { RegistryHandlers } from './registries.ts';
import { statsStream } from './stats.ts';
import { VolumeTransferHandlers } from './volume-transfers.ts';
import { VolumeHandlers } from './volumes.ts';
import { wakingCalls, type VmUse } from './waking-calls.ts';

/** Handlers with what they hold open: the event feed, kept connections, tasks, terminals. */
export interface OwnedHandlers extends Handlers, AsyncDisposable {}

/** Events that may wait for a slow window before it is told that it missed some. */
const maxWaitingEvents = 10_000;

export function createHandlers(services: HostServices, shell: ShellFacts): OwnedHandlers {
  const engine = new EngineClient(services.link);
  const feed = new EngineFeed(engine, services.vm);
  const terminals = new Terminals(engine);
  const tasks = new Tasks();
  const logins = new RegistryLogins(services.secrets);
  const registries = new RegistryHandlers(engine, logins);
  const images = new ImageHandlers(engine, feed, tasks, logins);
  const layers = new ImageLayerHandlers(engine);
  const transfers = new ImageTransferHandlers(engine, feed, tasks, logins);
  const volumes = new VolumeHandlers(engine, feed);
  const volumeTransfers = new VolumeTransferHandlers(engine, feed, tasks);
  const networks = new NetworkHandlers(engine, feed);
  const containers = new ContainerHandlers(engine, feed);
  const files = new FileHandlers(engine, tasks);
  const logs = new LogHandlers(engine, feed);
  const stats = new StatsFeed(engine);
  const { vm, settings, doctor } = services;
  const paths = homePaths(services.home);
  const dockerContext = new DockerContext(dockerHost(paths.dockerSocket));
  const idle = new IdleSleep({
    vm,
    settings: () => settings.current,
    isBusy: () =>
      services.dockerClients() > 0 ||
      feed.containers.current.some(({ state }) => ['running', 'paused', 'restarting'].includes(state)) ||
      terminals.views.current.length > 0 ||
      tasks.views.current.some(({ state }) => state === 'running'),
    prepare: (signal) => new GuestApi(services.link).prepareSleep(true, signal),
    hasRunningContainers: async (signal) => {
      const request = { attempt: 'list the running containers', path: '/containers/json', signal };
      return (await engine.json(request, containerSummaries)).length > 0;
    },
  });
  const use: VmUse = {
    touch: () => idle.touch(),
    wake: async (signal) => {
      if (vm.view.state.kind === 'sleeping' || vm.view.state.kind === 'resuming') await vm.start(signal);
    },
  };
  const readyLink = () => (vm.view.state.kind === 'ready' ? services.link : undefined);
  const calls = wakingCalls(
    {
      ...shellCalls(shell),
      // A window that goes away does not end what it began.
      'vm.start': () => vm.start(),
      'vm.stop': () => vm.stop(),
      'vm.sleep': () => vm.sleep(false),
      'vm.restart': () => vm.restart(),
      'vm.reset': () => vm.reset(),
      'vm.mend': () => vm.mend(),
      'vm.usage': (_input, signal) => vmUsage(paths, settings.current, readyLink(), signal),
      'diagnostics.report': async (_input, signal) => {
        const { version } = shell;
        const sources = { version, paths, settings: settings.current, doctor, vm: vm.view, link: readyLink() };
        return { text: await diagnosticReport(sources, signal) };
      },
      'diagnostics.doctor': (_input, signal) => doctor.run(signal),
      'settings.get': () => settings.current,
      'settings.set': (input) => settings.set(input.settings),
      'dockerContext.inspect': () => dockerContext.inspect(),
      'dockerContext.add': ({ replace }) => dockerContext.add(replace),
      'dockerContext.remove': () => dockerContext.remove(),
      'images.inspect': images.inspect,
      'images.layers': layers.layers,
      'images.layerFolder': layers.folder,
      'images.searchLayers': layers.search,
      'images.remove': images.remove,
      'images.tag': images.tag,
      'images.pull': images.pull,
      'images.push': transfers.push,
      'images.prune': images.prune,
      'tasks.cancel': ({ id }) => tasks.cancel(id),
      'tasks.forget': ({ id }) => tasks.forget(id),
      'volumes.create': volumes.create,
      'volumes.inspect': volumes.inspect,
      'volumes.remove': volumes.remove,
      'volumes.sizes': volumeTransfers.sizes,
      'volumes.clone': volumeTransfers.clone,
      'networks.inspect': networks.inspect,
      'networks.create': networks.create,
      'networks.remove': networks.remove,
      'networks.connect': networks.connect,
      'networks.disconnect': networks.disconnect,
      'registries.login': registries.login,
      'registries.test': registries.test,
      'registries.logout': registries.logout,
      'registries.tags': registries.tags,
      'registries.repositories': registries.repositories,
      'registries.search': registries.search,
      'containers.run': containers.run,
      'containers.inspect': containers.inspect,
      'containers.start': containers.start,
      'containers.stop': containers.stop,
      'containers.restart': containers.restart,
      'containers.kill': containers.kill,
      'containers.pause': containers.pause,
      'containers.unpause': containers.unpause,
      'containers.top': containers.top,
      'containers.edit': containers.edit,
      'containers.acceptEdit': containers.acceptEdit,
      'containers.rollBackEdit': containers.rollBackEdit,
      'containers.rename': containers.rename,
      'containers.remove': containers.remove,
      'files.list': files.list,
      'files.changes': files.changes,
      'files.read': files.read,
      'files.write': files.write,
      'terminals.open': (input) => terminals.open(input),
      'terminals.close': ({ id }) => terminals.close(id),
    },
    use,
  );
  return {
    calls,
    topics: {
      vm: {
        get current() {
          return vm.view;
        },
        onChange: (listener) => vm.onChange(listener),
      },
      settings: {
        get current() {
          return settings.current;
        },
        onChange: (listener) => settings.onChange(listener),
      },
      images: feed.images,
      containers: feed.containers,
      volumes: feed.volumes,
      networks: feed.networks,
      registries: {
        get current() {
          return logins.view;
        },
        onChange: (listener) => logins.onChange(listener),
      },
      tasks: tasks.views,
      terminals: terminals.views,
    },
    streams: {
      'logs.follow': logs.follow,
      'containers.stats': statsStream(stats),
      'terminals.attach': attach(terminals),
      'images.save': transfers.save,
      'images.load': transfers.load,
      'images.build': transfers.build,
      'volumes.export': volumeTransfers.export,
      'volumes.import': volumeTransfers.import,
      'files.download': files.download,
      'files.upload': files.upload,
      'tasks.output': ({ id }, { signal }) => tasks.output(id).follow(signal),
      'vm.console': async function* (_input, { signal }) {
        for await (const data of vm.console(signal)) yield { data };
      },
      'engine.events': ({ history = false }, { signal }) => eventStream(feed, history, signal),
    },
    async [Symbol.asyncDispose]() {
      idle[Symbol.dispose]();
      terminals.closeAll();
      await tasks.close();
      await Promise.all([feed.close(), stats.close()]);
      engine.close();
    },
  };
}

function attach(terminals: Terminals): StreamHandler<'terminals.attach'> {
  return ({ id }, { signal, onMessage }) => {
    const terminal = terminals.get(id);
    onMessage((message) => {
      if ('data' in message) terminal.write(message.data);
      else terminal.resize(message.columns, message.rows);
    });
    return terminal.watch(signal);
  };
}

async function* eventStream(
  feed: EngineFeed,
  history: boolean,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent, void, undefined> {
  let waiting: EngineEvent[] = history ? [...feed.recentEvents] : [];
  const bell = new EventTarget();
  const stop = feed.onEvent((event) => {
    if (waiting.length <= maxWaitingEvents) waiting.push(event);
    bell.dispatchEvent(new Event('event'));
  });
  try {
    while (!signal.aborted) {
      if (waiting.length > maxWaitingEvents) {
        throw new AppError('unavailable', 'follow the engine’s events: this window reads them too slowly');
      }
      const events = waiting;
      waiting = [];
      yield* events;
      if (waiting.length === 0) await once(bell, 'event', { signal }).catch(() => undefined);
    }
  } finally {
    stop();
  }
}
