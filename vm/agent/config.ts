/** Where the agent finds things; the environment overrides the fixed paths so that it also runs outside the image. */
import { guestPaths } from '../contract/wherry-api.ts';

export interface AgentConfig {
  readonly version: string;
  readonly engineSocket: string;
  /** Volatile state; monitors' sockets are below it. */
  readonly runDir: string;
  readonly seedDir: string;
  /** Where the data disk is mounted. */
  readonly dataDir: string;
  readonly dataDisk: string;
  /** Native helpers: monitor, unpack, pty, kernel.node. */
  readonly programsDir: string;
  readonly starterDir: string;
  readonly sshPort: number;
  /** False: the data folder is used as it is (development, the `remote` back end). */
  readonly manageDisk: boolean;
}

export const agentVersion = '0.1.0';

/** Environment variables: `WHERRY_RUN`, `WHERRY_DATA`, `WHERRY_SEED`, `WHERRY_PROGRAMS`, `WHERRY_STARTER`, `WHERRY_SSH_PORT`, `WHERRY_DISK` (`none`: no data disk). */
export function readConfig(env: Readonly<Record<string, string | undefined>>): AgentConfig {
  const runDir = env.WHERRY_RUN ?? guestPaths.run;
  const sshPort = Number(env.WHERRY_SSH_PORT ?? 22);
  if (!Number.isInteger(sshPort) || sshPort < 0 || sshPort > 65535) {
    throw new Error(`WHERRY_SSH_PORT: ${String(env.WHERRY_SSH_PORT)} is not a port`);
  }
  return {
    version: agentVersion,
    engineSocket: env.WHERRY_RUN === undefined ? guestPaths.engineSocket : `${runDir}/docker.sock`,
    runDir,
    seedDir: env.WHERRY_SEED ?? (env.WHERRY_RUN === undefined ? guestPaths.seed : `${runDir}/seed`),
    dataDir: env.WHERRY_DATA ?? guestPaths.data,
    dataDisk: env.WHERRY_DISK ?? guestPaths.dataDisk,
    programsDir: env.WHERRY_PROGRAMS ?? guestPaths.programs,
    starterDir: env.WHERRY_STARTER ?? guestPaths.starter,
    sshPort,
    manageDisk: env.WHERRY_DISK !== 'none',
  };
}

/** The engine's socket for containers that are given `/var/run/docker.sock`. */
export function containerSocket(config: Pick<AgentConfig, 'runDir'>): string {
  return `${config.runDir}/open/docker.sock`;
}
