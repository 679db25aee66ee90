/** One at a time, first come first served. */
export class Mutex {
  private last: Promise<unknown> = Promise.resolve();

  /** Runs when all before it have ended, however they ended. Not reentrant. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.last.then(work, work);
    this.last = result.catch(() => undefined);
    return result;
  }
}
