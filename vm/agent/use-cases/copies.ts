/**
 * Copies out of and into one container that are under way. Each holds on to the container's mounts, and two mounts of one
 * writable layer do not mix: those of a stopped container come one after the other, and a start ends them all.
 */
import { EngineError } from '../../contract/errors.ts';

export class Copies {
  private readonly current = new Map<AbortController, Promise<unknown>>();

  /**
   * The caller holds the container's lock, and lets go of it before it waits for the result.
   * @param alone Waits for those that began earlier.
   * @param work Gets a signal of its own: the client's, or a start.
   */
  begin<Result>(alone: boolean, signal: AbortSignal, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const controller = new AbortController();
    const either = AbortSignal.any([signal, controller.signal]);
    const earlier = alone ? [...this.current.values()] : [];
    const result = Promise.allSettled(earlier)
      .then(() => {
        either.throwIfAborted();
        return work(either);
      })
      .finally(() => this.current.delete(controller));
    result.catch(() => undefined); // the caller's to handle, perhaps a moment later
    this.current.set(controller, result);
    return result;
  }

  /** Resolves when none is left. The caller holds the container's lock. */
  async end(): Promise<void> {
    const reason = new EngineError('conflict', 'the container was started while its files were copied');
    for (const controller of this.current.keys()) controller.abort(reason);
    await Promise.allSettled(this.current.values());
  }
}
