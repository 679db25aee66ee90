/** The use cases' parts over fakes, in a folder of their own: a memory database, runtime, images and network. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { EventFeed } from '../../vm/agent/events.ts';
import type { EngineEvent } from '../../vm/agent/events.ts';
import type { ImageStore, ResolvedImage } from '../../vm/agent/images.ts';
import type {
  AttachRequest,
  ConnectRequest,
  Endpoint,
  EndpointSettings,
  NetworkRecord,
  NetworkService,
} from '../../vm/agent/network/network.ts';
import { findNetwork, inet6SubnetOf } from '../../vm/agent/network/networks.ts';
import { defaultInetPools, planNetwork } from '../../vm/agent/network/plan-network.ts';
import { ContainerStore } from '../../vm/agent/state/container-store.ts';
import type { Database } from '../../vm/agent/state/database.ts';
import { createContainer } from '../../vm/agent/use-cases/create-container.ts';
import { createContainerBody } from '../../vm/agent/http/create-body.ts';
import { ExecStore } from '../../vm/agent/use-cases/exec-store.ts';
import { LiveContainers } from '../../vm/agent/use-cases/live-containers.ts';
import type { Parts } from '../../vm/agent/use-cases/parts.ts';
import { restartNow } from '../../vm/agent/use-cases/restart-container.ts';
import { EngineError } from '../../vm/contract/errors.ts';
import type { Mounter } from '../../vm/agent/volumes/mounter.ts';
import type { VolumeMount } from '../../vm/agent/volumes/volume-options.ts';
import { VolumeUse } from '../../vm/agent/use-cases/volume-use.ts';
import { VolumeStore } from '../../vm/agent/volumes/volume-store.ts';
import { FilesProgram } from '../../vm/agent/runtime/files-program.ts';
import { FakeRuntime } from './fake-runtime.ts';
import { unpackFile } from './image-store.ts';

export interface TestEngine {
  readonly parts: Parts;
  readonly runtime: FakeRuntime;
  readonly events: EngineEvent[];
  readonly network: { readonly attached: Set<string>; failure: Error | undefined };
  readonly roots: Set<string>;
  /** What volumes' options have mounted, by folder. */
  readonly mounted: ReadonlyMap<string, VolumeMount>;
  /** Creates a container with `--userns host`, which needs no root here; `body` is the API's. */
  create(name: string, body?: object): Promise<string>;
}

export const testImage: ResolvedImage = {
  id: `sha256:${'a'.repeat(64)}`,
  layers: [],
  config: {
    architecture: 'amd64',
    os: 'linux',
    config: {
      Env: ['PATH=/bin', 'FROM_IMAGE=yes'],
      Cmd: ['sh'],
      Labels: { maker: 'test' },
      ExposedPorts: { '80/tcp': {} },
    },
  },
};

/** Everything is removed when the test ends. */
export async function makeEngine(t: TestContext): Promise<TestEngine> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-engine-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const config = { dataDir: `${folder}/data`, runDir: `${folder}/run`, programsDir: '/programs' };
  const database = memoryDatabase();
  const runtime = new FakeRuntime();
  const feed = new EventFeed();
  const events: EngineEvent[] = [];
  feed.subscribe((event) => events.push(event));
  const network = { attached: new Set<string>(), failure: undefined as Error | undefined };
  const roots = new Set<string>();
  const mounted = new Map<string, VolumeMount>();
  const mounter: Mounter = {
    mount: (volume, target) => Promise.resolve(void mounted.set(target, volume)),
    unmount: (target) => Promise.resolve(void mounted.delete(target)),
  };
  const volumes = new VolumeStore(database, `${folder}/data/volumes`, mounter.unmount, (action, name) =>
    feed.publish('volume', action, name, { driver: 'local' }),
  );
  const parts: Parts = {
    config,
    hostGateway: '10.0.2.2',
    store: new ContainerStore(database),
    live: new LiveContainers(),
    execs: new ExecStore(),
    images: fakeImages(folder, roots),
    volumes,
    volumeUse: new VolumeUse(volumes, mounter),
    runtime,
    files: new FilesProgram(unpackFile, `${folder}/run/files`),
    network: fakeNetwork(network),
    events: feed,
    seccompProfile: () => undefined,
    applyLimits: () => Promise.resolve(),
    readStats: () => Promise.resolve(undefined),
    restartNow: (id) => restartNow(parts, id),
  };
  t.after(() => parts.live.detachAll());
  const create = async (name: string, body: object = {}): Promise<string> => {
    const { HostConfig, ...rest } = body as { HostConfig?: object };
    const request = createContainerBody.parse({
      Image: 'img',
      HostConfig: { UsernsMode: 'host', NetworkMode: 'none', ...HostConfig },
      ...rest,
    });
    return (await createContainer(parts, name, request)).id;
  };
  return { parts, runtime, events, network, roots, mounted, create };
}

/** Remembers nothing beyond the stores' own mirrors. Persistence is tested in the guest, where node:sqlite is. */
export function memoryDatabase(): Database {
  return {
    all: () => [],
    get: () => undefined,
    run: () => ({ changes: 1 }),
    transaction: (work) => work(),
    close: () => undefined,
  };
}

function fakeImages(folder: string, roots: Set<string>): ImageStore {
  return {
    resolve(reference) {
      if (reference === 'img' || reference === testImage.id) return Promise.resolve(testImage);
      return Promise.reject(new EngineError('not-found', `No such image: ${reference}:latest`));
    },
    prepareRoot(containerId) {
      roots.add(containerId);
      return Promise.resolve({ lowerDirs: [], upperDir: `${folder}/upper`, workDir: `${folder}/work` });
    },
    removeRoot(containerId) {
      roots.delete(containerId);
      return Promise.resolve();
    },
    setLimit: () => Promise.resolve(),
    rootSize: () => Promise.resolve(0),
  };
}

const bridge: NetworkRecord = {
  id: 'b'.repeat(64),
  name: 'bridge',
  driver: 'bridge',
  createdAtMs: 0,
  internal: false,
  attachable: false,
  subnets: [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }],
  options: {},
  labels: {},
};

/** Networks and places in them, without any link. */
function fakeNetwork(state: { attached: Set<string>; failure: Error | undefined }): NetworkService {
  let networks: readonly NetworkRecord[] = [
    bridge,
    { ...bridge, id: 'f'.repeat(64), name: 'host', driver: 'host' },
    { ...bridge, id: '0'.repeat(64), name: 'none', driver: 'null' },
  ];
  const endpoints = new Map<string, Endpoint[]>();
  const find = (nameOrId: string): NetworkRecord => findNetwork(networks, nameOrId);
  const inet6Of = (network: string, address6 = 'fd12:3456:789a::2'): Pick<Endpoint, 'inet6'> => {
    const gateway = inet6SubnetOf(find(network))?.gateway;
    return gateway === undefined ? {} : { inet6: { address: address6, prefixLength: 64, gateway } };
  };
  const endpoint = (who: ConnectRequest | AttachRequest, network: string, settings: EndpointSettings): Endpoint => ({
    id: 'e'.repeat(64),
    containerId: who.containerId,
    containerName: who.containerName,
    networkId: find(network).id,
    networkName: find(network).name,
    address: settings.address ?? '172.17.0.2',
    prefixLength: 16,
    gateway: '172.17.0.1',
    ...(who.isInet6Off === true ? {} : inet6Of(network, settings.address6)),
    mac: '02:42:ac:11:00:02',
    aliases: settings.aliases,
    interfaceName: 'eth0',
  });
  return {
    start: () => Promise.resolve(),
    restore: () => Promise.resolve(),
    async attach(request) {
      await Promise.resolve();
      if (state.failure !== undefined) throw state.failure;
      const made = request.networks.map(({ network, settings }) => endpoint(request, network, settings));
      state.attached.add(request.containerId);
      endpoints.set(request.containerId, made);
      return made;
    },
    connect(request) {
      const made = endpoint(request, request.network, request.settings);
      endpoints.set(request.containerId, [...(endpoints.get(request.containerId) ?? []), made]);
      return Promise.resolve(made);
    },
    disconnect(request) {
      const { id } = find(request.network);
      endpoints.set(
        request.containerId,
        (endpoints.get(request.containerId) ?? []).filter(({ networkId }) => networkId !== id),
      );
      return Promise.resolve();
    },
    create(request) {
      const made = planNetwork(String(networks.length).repeat(64), request, {
        networks,
        reserved: [],
        inetPools: defaultInetPools,
        inet6Pool: 'fd12:3456:789a::/48',
      });
      networks = [...networks, made];
      return Promise.resolve(made);
    },
    remove(nameOrId) {
      const gone = find(nameOrId);
      networks = networks.filter((one) => one !== gone);
      return Promise.resolve(gone);
    },
    detach(containerId) {
      state.attached.delete(containerId);
      endpoints.delete(containerId);
      return Promise.resolve();
    },
    rename: () => undefined,
    endpointsOf: (containerId) => endpoints.get(containerId) ?? [],
    portsOf: () => [],
    network: find,
    networks: () => networks,
    endpointsIn: (networkId) => [...endpoints.values()].flat().filter((one) => one.networkId === networkId),
    nameServers: () => ['172.17.0.1'],
    serveHost: (stream) => stream.destroy(),
    onChange: () => () => undefined,
    health: () => Promise.resolve({ state: 'ok', detail: '' }),
    close: () => Promise.resolve(),
  };
}
