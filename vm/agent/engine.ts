/** Builds the engine on a ready data disk: state, stores, runtime, network, use cases and their routes. */
import { writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { StageHealth } from '../contract/wherry-api.ts';
import type { AgentConfig } from './config.ts';
import { EventFeed } from './events.ts';
import { readSeed } from './health.ts';
import { buildRoutes } from './http/build.ts';
import { commitRoutes } from './http/commit.ts';
import { containerFileRoutes } from './http/container-files.ts';
import { folderListingRoutes } from './http/folder-listing.ts';
import { containerStreamRoutes } from './http/container-streams.ts';
import { containerRoutes } from './http/containers.ts';
import { eventRoutes } from './http/events.ts';
import { execRoutes } from './http/exec.ts';
import { imageLayerRoutes } from './http/image-layers.ts';
import { imageRoutes } from './http/images.ts';
import { networkRoutes } from './http/networks.ts';
import { noSwarmRoutes } from './http/no-swarm.ts';
import type { Route } from './http/route.ts';
import { systemRoutes } from './http/system.ts';
import { apiVersion, minimumApiVersion } from './http/version.ts';
import { volumeFileRoutes } from './http/volume-files.ts';
import { volumeRoutes } from './http/volumes.ts';
import { readRegistryNetwork } from './images-network.ts';
import { openImages } from './images-service.ts';
import type { Images } from './images-service.ts';
import { loadAddonKernel } from './kernel/addon-kernel.ts';
import type { Kernel } from './kernel/kernel.ts';
import { errorText, log } from './log.ts';
import { createNetworking } from './network/create-networking.ts';
import { resolvConfUpstreams } from './network/dns/upstreams.ts';
import { createFileEndpointStore } from './network/endpoint-store.ts';
import { createNetworkStore, networkMigrations } from './network/network-store.ts';
import type { NetworkService } from './network/network.ts';
import { subnetAround } from './network/subnets.ts';
import { FilesProgram } from './runtime/files-program.ts';
import { openRuntime } from './runtime-service.ts';
import type { RuntimeServices } from './runtime-service.ts';
import { isRunning } from './state/container-record.ts';
import { containerMigrations, ContainerStore } from './state/container-store.ts';
import { openDatabase } from './state/database.ts';
import type { Database } from './state/database.ts';
import { imageMigrations, SqliteImageRecords } from './state/images.ts';
import { removeBuildFolders } from './use-cases/build-folder.ts';
import { ExecStore } from './use-cases/exec-store.ts';
import { LiveContainers } from './use-cases/live-containers.ts';
import type { Parts } from './use-cases/parts.ts';
import { reconcile } from './use-cases/reconcile.ts';
import { restartNow } from './use-cases/restart-container.ts';
import { stopAll } from './use-cases/stop-all.ts';
import { VolumeUse } from './use-cases/volume-use.ts';
import { systemMounter } from './volumes/mounter.ts';
import { volumeMigrations, VolumeStore } from './volumes/volume-store.ts';

export interface Engine {
  readonly routes: readonly Route[];
  networkHealth(): Promise<StageHealth>;
  /** Stops all running containers, giving them this long. */
  stopAll(timeoutSeconds: number): Promise<void>;
  /** Lets go of everything but the containers. */
  close(): Promise<void>;
}

export async function startEngine(config: AgentConfig): Promise<Engine> {
  const seed = readSeed(config.seedDir);
  const database = openDatabase(`${config.dataDir}/state.db`, [
    ...containerMigrations,
    ...volumeMigrations,
    ...imageMigrations,
    ...networkMigrations,
  ]);
  const store = new ContainerStore(database);
  const events = new EventFeed();
  const runtime = openRuntime(config);
  const kernel = loadAddonKernel(`${config.programsDir}/kernel.node`);
  const [images, network] = await Promise.all([
    startImages(config, kernel, database, store, events),
    startNetwork(config, kernel, seed, database),
  ]);
  const parts = buildParts({ config, seed, database, store, events, images, network, runtime });
  await allowLowPorts();
  await reconcile(parts);
  await removeBuildFolders(config, images.parts.program);
  // Work only on an empty disk; "ready" means that the first run can begin.
  await images.importStarter(config.starterDir);
  return {
    routes: routesOf(parts, images, {
      agentVersion: config.version,
      apiVersion,
      minimumApiVersion,
      instanceId: seed?.instanceId ?? '',
      imageCount: () => images.parts.records.all().length,
      proxy: seed?.proxy,
      mirrors: seed?.registryMirrors ?? [],
      insecureRegistries: seed?.insecureRegistries ?? [],
      addressPools: seed?.addressPools ?? [],
    }),
    networkHealth: () => network.health(),
    stopAll: (timeoutSeconds) => stopAll(parts, timeoutSeconds),
    async close() {
      parts.live.detachAll();
      images.close();
      await network.close();
      database.close();
    },
  };
}

type Seed = ReturnType<typeof readSeed>;

async function startImages(
  config: AgentConfig,
  kernel: Kernel,
  database: Database,
  store: ContainerStore,
  events: EventFeed,
): Promise<Images> {
  return openImages({
    kernel,
    dataDir: config.dataDir,
    unpackProgram: `${config.programsDir}/unpack`,
    records: new SqliteImageRecords(database),
    network: await readRegistryNetwork(config.seedDir),
    imageUsers: () =>
      store.all().map((record) => ({
        containerId: record.id,
        imageId: record.imageId,
        running: isRunning(record),
      })),
    onEvent: ({ action, id, name }) => events.publish('image', action, id, { name }),
  });
}

async function startNetwork(
  config: AgentConfig,
  kernel: Kernel,
  seed: Seed,
  database: Database,
): Promise<NetworkService> {
  const network = createNetworking({
    kernel,
    store: createFileEndpointStore(`${config.runDir}/network`),
    networks: createNetworkStore(database),
    reservedSubnets: guestSubnets(),
    addressPools: (seed?.addressPools ?? []).map(({ base, size }) => ({ whole: base, prefixLength: size })),
    instanceId: seed?.instanceId ?? '',
    hostGateway: seed?.hostGateway ?? '127.0.0.1',
    upstreams: resolvConfUpstreams('/etc/resolv.conf'),
    onError: (cause) => log.warn(`network: ${errorText(cause)}`),
  });
  await network.start();
  return network;
}

/** Of the guest's own links (`eth0`): no network of containers may take their addresses. */
function guestSubnets(): string[] {
  const links = Object.entries(networkInterfaces()).filter(([name]) => name.startsWith('e'));
  return links.flatMap(([, addresses]) =>
    (addresses ?? []).flatMap(({ cidr }) => (cidr === null ? [] : [subnetAround(cidr)])),
  );
}

function buildParts(built: {
  readonly config: AgentConfig;
  readonly seed: Seed;
  readonly database: Database;
  readonly store: ContainerStore;
  readonly events: EventFeed;
  readonly images: Images;
  readonly network: NetworkService;
  readonly runtime: RuntimeServices;
}): Parts {
  const { config, runtime, events } = built;
  const volumes = new VolumeStore(built.database, `${config.dataDir}/volumes`, systemMounter.unmount, (action, name) =>
    events.publish('volume', action, name, { driver: 'local' }),
  );
  const parts: Parts = {
    config,
    hostGateway: built.seed?.hostGateway ?? '127.0.0.1',
    store: built.store,
    live: new LiveContainers(),
    execs: new ExecStore(),
    images: built.images.store,
    volumes,
    volumeUse: new VolumeUse(volumes, systemMounter),
    runtime: runtime.runtime,
    files: new FilesProgram(`${config.programsDir}/unpack`, `${config.runDir}/files`),
    network: built.network,
    events,
    seccompProfile: runtime.seccompProfile,
    applyLimits: runtime.applyLimits,
    readStats: runtime.readStats,
    restartNow: (id) => restartNow(parts, id),
  };
  return parts;
}

function routesOf(parts: Parts, images: Images, facts: Parameters<typeof systemRoutes>[2]): Route[] {
  return [
    ...systemRoutes(parts, images.parts, facts, parts.events),
    ...eventRoutes(parts.events),
    ...containerRoutes(parts),
    ...containerStreamRoutes(parts),
    ...containerFileRoutes(parts),
    ...folderListingRoutes(parts),
    ...execRoutes(parts),
    ...imageRoutes(images.parts),
    ...imageLayerRoutes(images.parts),
    ...commitRoutes(parts, images.parts),
    ...buildRoutes(parts, images.parts),
    ...networkRoutes(parts),
    ...volumeRoutes(parts, images.parts),
    ...volumeFileRoutes(parts, images.parts),
    ...noSwarmRoutes(),
  ];
}

/** A container on the guest's own network has no right over it, but may listen on port 80 as it would elsewhere. */
async function allowLowPorts(): Promise<void> {
  await writeFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', '0').catch((error: unknown) =>
    log.warn(`ip_unprivileged_port_start: ${errorText(error)}`),
  );
}

export { routesOf };
