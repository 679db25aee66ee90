import { setTimeout as delay } from 'node:timers/promises';
import { execInspect } from '../engine/api.ts';
import { segment, type EngineClient } from '../engine/client.ts';

/**
 * The exit code of an exec session whose stream has ended; the engine may note it a moment later than that.
 * Undefined when it cannot be had. Rejects when the engine cannot be asked.
 */
export async function execExitCode(engine: EngineClient, execId: string): Promise<number | undefined> {
  for (const pauseMs of [0, 20, 50, 200, 500]) {
    await delay(pauseMs);
    const exec = await engine.json(
      { attempt: 'ask for the exit code', path: `/exec/${segment(execId)}/json`, timeoutMs: 10_000 },
      execInspect,
    );
    if (!exec.Running) return exec.ExitCode ?? undefined;
  }
  return undefined;
}
