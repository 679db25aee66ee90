/** Builds the engine on a ready data disk: state, stores, use cases and their routes. */
import type { AgentConfig } from './config.ts';
import type { Route } from './http/route.ts';
import { openDatabase } from './state/database.ts';

export interface Engine {
  readonly routes: readonly Route[];
  /** Stops all running containers, giving them this long. */
  stopAll(timeoutSeconds: number): Promise<void>;
  /** Lets go of everything but the containers. */
  close(): void;
}

export function startEngine(config: AgentConfig): Promise<Engine> {
  const database = openDatabase(`${config.dataDir}/state.db`, []);
  return Promise.resolve({ routes: [], stopAll: () => Promise.resolve(), close: () => database.close() });
}
