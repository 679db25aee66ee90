/** The use cases' parts over fakes, in a folder of their own: a memory database, runtime, images and network. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { EventFeed } from '../../vm/agent/events.ts';
import type { EngineEvent } from '../../vm/agent/events.ts';
import type { ImageStore, ResolvedImage } from '../../vm/agent/images.ts';
import type { NetworkService } from '../../vm/agent/network/network.ts';
import { ContainerStore } from '../../vm/agent/state/container-store.ts';
import type { Database } from '../../vm/agent/state/database.ts';
import { createContainer } from '../../vm/agent/use-cases/create-container.ts';
import { createContainerBody } from '../../vm/agent/http/create-body.ts';
import { ExecStore } from '../../vm/agent/use-cases/exec-store.ts';
import { LiveContainers } from '../../vm/agent/use-cases/live-containers.ts';
import type { Parts } from '../../vm/agent/use-cases/parts.ts';
import { restartNow } from '../../vm/agent/use-cases/restart-container.ts';
import { EngineError } from '../../vm/contract/errors.ts';
import { VolumeStore } from '../../vm/agent/volumes/volume-store.ts';
import { FakeRuntime } from './fake-runtime.ts';

export interface TestEngine {
  readonly parts: Parts;
  readonly runtime: FakeRuntime;
  readonly events: EngineEvent[];
  readonly network: { readonly attached: Set<string>; failure: Error | undefined };
  readonly roots: Set<string>;
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
  const config = { dataDir: `${folder}/data`, runDir: `${folder}/run` };
  const database = memoryDatabase();
  const runtime = new FakeRuntime();
  const feed = new EventFeed();
  const events: EngineEvent[] = [];
  feed.subscribe((event) => events.push(event));
  const network = { attached: new Set<string>(), failure: undefined as Error | undefined };
  const roots = new Set<string>();
  const parts: Parts = {
    config,
    hostGateway: '10.0.2.2',
    store: new ContainerStore(database),
    live: new LiveContainers(),
    execs: new ExecStore(),
    images: fakeImages(folder, roots),
    volumes: new VolumeStore(database, `${folder}/data/volumes`),
    runtime,
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
  return { parts, runtime, events, network, roots, create };
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
    rootSize: () => Promise.resolve(0),
  };
}

function fakeNetwork(state: { attached: Set<string>; failure: Error | undefined }): NetworkService {
  return {
    start: () => Promise.resolve(),
    restore: () => Promise.resolve(),
    attach(request) {
      if (state.failure !== undefined) return Promise.reject(state.failure);
      state.attached.add(request.containerId);
      return Promise.resolve({
        id: 'e'.repeat(64),
        containerId: request.containerId,
        containerName: request.containerName,
        networkId: 'n'.repeat(64),
        networkName: 'bridge',
        address: '172.17.0.2',
        prefixLength: 16,
        gateway: '172.17.0.1',
        mac: '02:42:ac:11:00:02',
        aliases: [],
      });
    },
    detach(containerId) {
      state.attached.delete(containerId);
      return Promise.resolve();
    },
    rename: () => undefined,
    endpointsOf: () => [],
    portsOf: () => [],
    network(nameOrId) {
      throw new EngineError('not-found', `network ${nameOrId} not found`);
    },
    networks: () => [],
    endpointsIn: () => [],
    nameServers: () => ['172.17.0.1'],
    serveHost: (stream) => stream.destroy(),
    onChange: () => () => undefined,
    health: () => Promise.resolve({ state: 'ok', detail: '' }),
    close: () => Promise.resolve(),
  };
}
