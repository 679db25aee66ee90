/** Starts a container: files, process, network, then the program itself. All or nothing. */
import { mkdir, rm } from 'node:fs/promises';
import { EngineError } from '../../contract/errors.ts';
import { rfc3339Now } from '../clock.ts';
import { errorText, log } from '../log.ts';
import { parseNetworkMode } from '../network/network-mode.ts';
import { LaunchError } from '../runtime/runtime.ts';
import type { LaunchRequest, OciSeccomp, RunningContainer } from '../runtime/runtime.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import { idRangeOf } from '../state/container-store.ts';
import { attachNetworks, tellDisconnected, writeNetworkFiles, writeOwned } from './container-network.ts';
import { guestDevices, resolveDevices } from './container-devices.ts';
import { prepareContainerRoot, withRoomToMount } from './container-root.ts';
import { buildContainerSpec, capabilitiesOf } from './container-spec.ts';
import { watchForExit } from './container-exit.ts';
import { describeLaunchFailure } from './launch-failure.ts';
import { withSubpaths } from './mount-subpaths.ts';
import { undoAll } from './open-beneath.ts';
import type { Undo } from './open-beneath.ts';
import { logFileOf } from './log-options.ts';
import { containerPaths, publishContainerEvent, publishVolumeEvents } from './parts.ts';
import type { Parts } from './parts.ts';
import { removeStopped } from './remove-container.ts';
import { holdSharedMemory, removeRunFolder } from './shared-memory.ts';
import { sharedNamespaces } from './shared-namespaces.ts';
import { prepareMounts } from './container-mounts.ts';
import { resolveUser } from './container-user.ts';
import { initialHealth, watchHealth } from './watch-health.ts';

/** By name or id. Throws `not-modified` when it runs already. Goes on when the client leaves. */
export async function startContainer(parts: Parts, reference: string): Promise<void> {
  const { id } = parts.store.find(reference);
  const live = parts.live.of(id);
  await live.lock.run(async () => {
    checkStartable(parts.store.find(id));
    // By hand: the policy counts and waits anew.
    live.nextDelayMs = 0;
    parts.store.update(id, { restartCount: 0 });
    await startLocked(parts, id);
  });
}

/** The caller holds the container's lock. */
export async function startLocked(parts: Parts, id: string): Promise<void> {
  const record = parts.store.find(id);
  checkStartable(record);
  const live = parts.live.of(id);
  clearTimeout(live.restart?.timer);
  live.restart = undefined;
  live.stopping = false;
  try {
    await live.copies.end();
    await launch(parts, record);
  } catch (error) {
    await afterFailedStart(parts, record, error);
  }
}

function checkStartable(record: ContainerRecord): void {
  switch (record.state.status) {
    case 'running':
      throw new EngineError('not-modified', `Container ${record.id} is already running`);
    case 'paused':
      throw new EngineError('conflict', 'cannot start a paused container, try unpause instead');
    case 'removing':
    case 'dead':
      throw new EngineError('conflict', 'container is marked for removal and cannot be started');
    case 'created':
    case 'exited':
    case 'restarting':
  }
}

async function launch(parts: Parts, record: ContainerRecord): Promise<void> {
  const held: Undo[] = [];
  try {
    await launchHolding(parts, record, held);
  } finally {
    // The monitor has mounted what is held, or there is nothing to mount.
    await undoAll(held);
  }
}

/** `held`: what is to be undone when the program runs, or will not. */
async function launchHolding(parts: Parts, record: ContainerRecord, held: Undo[]): Promise<void> {
  const { id } = record;
  const live = parts.live.of(id);
  const mode = parseNetworkMode(record.hostConfig.NetworkMode);
  const request = await launchRequest(parts, record, held);
  const running = await withRoomToMount(parts, record, () =>
    parts.runtime.create(request, AbortSignal.timeout(60_000)),
  );
  try {
    await attachNetworks(parts, record, mode, running.pid);
    await writeNetworkFiles(parts, record, mode);
    live.running = running;
    for (const pending of live.pending) await pending.join(running);
    live.pending.clear();
    await running.go();
  } catch (error) {
    live.running = undefined;
    await undoLaunch(parts, record, running);
    throw error;
  }
  const health = initialHealth(record);
  const started = parts.store.update(id, {
    ...(health === undefined ? {} : { health }),
    state: {
      status: 'running',
      pid: running.pid,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: rfc3339Now(),
      finishedAt: record.state.finishedAt,
    },
    manuallyStopped: false,
  });
  publishVolumeEvents(parts, started, 'mount');
  publishContainerEvent(parts, started, 'start');
  watchForExit(parts, id, running);
  watchHealth(parts, started);
}

async function launchRequest(parts: Parts, record: ContainerRecord, held: Undo[]): Promise<LaunchRequest> {
  const paths = containerPaths(parts.config, record.id);
  const idRange = idRangeOf(record);
  const rootfs = await prepareContainerRoot(parts, record);
  await mkdir(`${paths.dir}/log`, { recursive: true });
  await mkdir(paths.runDir, { recursive: true, mode: 0o700 });
  await rm(paths.exitRecord, { force: true });
  // Their place is bound into the container now; what is in them follows when the address is known.
  const files = [paths.hostname, paths.hosts, paths.resolvConf];
  await Promise.all(files.map((path) => writeOwned(record, path, '')));
  await parts.volumeUse.acquire(record);
  const mounts = await withSubpaths(parts.config, record, await prepareMounts(parts, record, rootfs), held);
  const user = await resolveUser(rootfs, record.config.User, record.hostConfig.GroupAdd ?? []);
  return {
    id: record.id,
    config: buildContainerSpec({
      record,
      paths,
      initProgram: `${parts.config.programsDir}/container-init`,
      mounts,
      user,
      namespaces: sharedNamespaces(parts, record),
      sharedMemoryFolder: await holdSharedMemory(parts, record),
      seccomp: seccompOf(parts, record),
      devices: await devicesOf(record.hostConfig),
    }),
    rootfs,
    idRange,
    cgroup: paths.cgroup,
    runDir: paths.runDir,
    exitRecordPath: paths.exitRecord,
    log: logFileOf(record, paths.log),
    openStdin: record.config.OpenStdin,
    // A terminal outlives the client that leaves it.
    stdinOnce: record.config.StdinOnce && !record.config.Tty,
  };
}

/** Those asked for stand before the guest's own of the same path. */
async function devicesOf({ Privileged, Devices }: ContainerRecord['hostConfig']): ReturnType<typeof resolveDevices> {
  if (!Privileged) return resolveDevices(Devices);
  const asked = new Set(Devices.map((device) => device.PathInContainer));
  const others = (await guestDevices()).filter((device) => !asked.has(device.PathInContainer));
  return resolveDevices([...Devices, ...others]);
}

/** `seccomp=unconfined`, a profile of the user's own (the CLI sends its text), or the default. */
function seccompOf(parts: Parts, { hostConfig }: ContainerRecord): OciSeccomp | undefined {
  if (hostConfig.Privileged) return undefined;
  const option = hostConfig.SecurityOpt?.find((word) => /^seccomp[:=]/.test(word))?.slice('seccomp='.length);
  if (option === 'unconfined') return undefined;
  return parts.seccompProfile(option === 'builtin' ? undefined : option, capabilitiesOf(hostConfig));
}

async function undoLaunch(parts: Parts, record: ContainerRecord, running: RunningContainer): Promise<void> {
  await running.kill(9).catch(() => undefined);
  await running.exited;
  running.detach();
  const endpoints = parts.network.endpointsOf(record.id);
  await parts.network.detach(record.id).catch((error: unknown) => log.warn(`detach ${record.name}`, error));
  tellDisconnected(parts, record.id, endpoints);
}

async function afterFailedStart(parts: Parts, record: ContainerRecord, cause: unknown): Promise<never> {
  const failure = describeLaunchFailure(cause);
  const live = parts.live.of(record.id);
  for (const pending of live.pending) pending.end();
  live.pending.clear();
  await parts.volumeUse.release(record.id);
  await removeRunFolder(parts, record).catch((error: unknown) => log.warn(`what ${record.name} ran with`, error));
  const failed = parts.store.update(record.id, {
    state: {
      ...record.state,
      status: record.state.status === 'restarting' ? 'exited' : record.state.status,
      pid: 0,
      exitCode: failure.exitCode,
      error: failure.error.message,
    },
  });
  // As Docker: nothing has died that never lived. Of one between two starts nothing else would tell that it stays down.
  if (failed.state.status !== record.state.status) {
    publishContainerEvent(parts, failed, 'die', { exitCode: String(failure.exitCode) });
  }
  if (!(cause instanceof LaunchError)) log.warn(`start ${record.name}: ${errorText(cause)}`);
  if (record.hostConfig.AutoRemove) {
    await removeStopped(parts, record.id, { volumes: true }).catch((error: unknown) =>
      log.error(`remove ${record.name} after its failed start`, error),
    );
  } else live.tellExit({ exitCode: failure.exitCode });
  throw failure.error;
}
