/**
 * The agent's life: socket and SSH first (the host probes through them), then the data disk, then the engine. What boot
 * does not need is loaded after the socket answers.
 */
import { mkdir } from 'node:fs/promises';
import { EngineError } from '../contract/errors.ts';
import { type AgentConfig, containerSocket } from './config.ts';
import { dataDiskSpace, DiskError, mountDataDisk, unmountDataDisk } from './disk/data-disk.ts';
import type { Engine } from './engine.ts';
import { GuestStatus } from './health.ts';
import { startEngineServer } from './http/server.ts';
import type { EngineServer } from './http/server.ts';
import { wherryRoutes } from './http/wherry.ts';
import { announceStage, errorText, log } from './log.ts';
import { dropCaches, powerOff, setClock, stirRandom } from './machine.ts';
import { whatKeepsAwake } from './keeps-awake.ts';
import type { SshServer } from './ssh/server.ts';

/** Time for containers to stop when init ends the agent; init itself waits a little longer. */
const terminationSeconds = 10;

/** Runs until a signal or a shutdown request ends the process. */
export async function startAgent(config: AgentConfig): Promise<void> {
  announceStage('agent');
  const status = new GuestStatus(config, () => dataDiskSpace(config.dataDir));
  const parts: { engine?: Engine; ssh?: SshServer | undefined; server?: EngineServer } = {};
  let stopping: Promise<void> | undefined;

  const stop = (timeoutSeconds: number): Promise<void> => {
    stopping ??= (async () => {
      log.info('stopping');
      await parts.engine?.stopAll(timeoutSeconds).catch((error: unknown) => log.error('stopping containers', error));
      await parts.engine?.close();
      await parts.server?.close();
      await parts.ssh?.close();
      if (config.manageDisk) await unmountDataDisk(config.dataDir);
    })();
    return stopping;
  };
  process.on('SIGTERM', () => void stop(terminationSeconds).finally(() => process.exit(0)));
  process.on('SIGINT', () => void stop(terminationSeconds).finally(() => process.exit(0)));
  // The agent alone is to be replaced; containers live on with their monitors.
  process.on('SIGUSR1', () => {
    process.exit(0);
  });

  await mkdir(config.runDir, { recursive: true });
  const server = await startEngineServer({
    socketPath: config.engineSocket,
    containerSocketPath: containerSocket(config),
    serverHeader: `Wherry/${config.version} (linux)`,
    early: wherryRoutes({
      health: () => status.probe(),
      shutdown: (seconds) => void stop(seconds).finally(() => powerOff()),
      setClock: (nowMs) => setClock(config.programsDir, nowMs),
      prepareSleep: async (idle) => {
        const doing = whatKeepsAwake(parts.server?.underWay() ?? [], parts.ssh?.sessions ?? 0, idle);
        if (doing !== undefined) throw new EngineError('conflict', `${doing} is under way`);
        await dropCaches();
      },
      wake: async (nowMs, entropy) => {
        await setClock(config.programsDir, nowMs);
        await stirRandom(entropy);
      },
    }),
    describeBoot: () => status.describeBoot(),
  });
  parts.server = server;
  const diskReady = makeDiskReady(config, status);
  parts.ssh = await startSsh(config);
  if (!(await diskReady)) return;
  try {
    const { startEngine } = await import('./engine.ts');
    const engine = await startEngine(config);
    parts.engine = engine;
    server.open(engine.routes);
    status.networkHealth = () => engine.networkHealth();
    status.engine = { state: 'ok', detail: '' };
    announceStage('engine');
  } catch (error) {
    log.error('the engine could not start', error);
    status.engine = { state: 'failed', detail: errorText(error), hint: 'see the VM log; restart the VM to try again' };
  }
}

async function makeDiskReady(config: AgentConfig, status: GuestStatus): Promise<boolean> {
  try {
    if (config.manageDisk) await mountDataDisk(config.dataDisk, config.dataDir);
    else await mkdir(config.dataDir, { recursive: true });
    status.disk = { state: 'ok', detail: '' };
    announceStage('disk');
    return true;
  } catch (error) {
    log.error('the data disk is not usable', error);
    const hint = error instanceof DiskError ? error.hint : 'see the VM log; restart the VM to try again';
    status.disk = { state: 'failed', detail: errorText(error), hint };
    return false;
  }
}

/** Without keys (development outside the VM) there is no SSH server; the socket still serves. */
async function startSsh(config: AgentConfig): Promise<SshServer | undefined> {
  const { startSshServer } = await import('./ssh/server.ts');
  try {
    return await startSshServer({
      port: config.sshPort,
      hostKeyPath: `${config.seedDir}/ssh_host_ed25519_key`,
      authorizedKeysPath: `${config.seedDir}/authorized_keys`,
      engineSocket: config.engineSocket,
      ptyProgram: `${config.programsDir}/pty`,
    });
  } catch (error) {
    log.error('the ssh server could not start', error);
    return undefined;
  }
}
