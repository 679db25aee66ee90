/** What is asked for while a batch is worked on becomes the next batch. Each caller waits for its own, and shares its failure. */
export function createBatches<T>(work: (items: readonly T[]) => Promise<void>): (item: T) => Promise<void> {
  let next: T[] = [];
  let last: Promise<void> = Promise.resolve();
  let scheduled: Promise<void> | undefined;
  return (item) => {
    next.push(item);
    scheduled ??= last
      .catch(() => undefined)
      .then(() => {
        const batch = next;
        next = [];
        scheduled = undefined;
        return (last = work(batch));
      });
    return scheduled;
  };
}
