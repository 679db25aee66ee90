/** Words and exit codes of a failed start, as Docker's clients expect them. */
import { EngineError } from '../../contract/errors.ts';
import { LaunchError } from '../runtime/runtime.ts';

export interface LaunchFailure {
  /** 127: no such program, 126: cannot be executed, 128: anything else. */
  readonly exitCode: number;
  readonly error: EngineError;
}

/**
 * The docker CLI derives its own exit code from the text: 127 for "executable file not found" or "no such file or
 * directory", 126 for "permission denied".
 */
export function describeLaunchFailure(cause: unknown): LaunchFailure {
  if (cause instanceof LaunchError && cause.kind !== 'setup') {
    const exitCode = cause.kind === 'not-found' ? 127 : 126;
    const message = `failed to create task for container: unable to start container process: ${cause.message}`;
    return { exitCode, error: new EngineError('invalid-parameter', message, { cause }) };
  }
  if (cause instanceof EngineError) return { exitCode: 128, error: cause };
  const text = cause instanceof Error ? cause.message : String(cause);
  return {
    exitCode: 128,
    error: new EngineError('system', `failed to create task for container: ${text}`, { cause }),
  };
}
