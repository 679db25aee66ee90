/** What work in progress needs, so that nobody removes it meanwhile. They end with the process, as the work does. */
export class Leases {
  private readonly counts = new Map<string, number>();

  /** Keys are digests of blobs, diffIDs or image ids. Ends when disposed, once. */
  hold(keys: Iterable<string>): Disposable {
    const held = [...keys];
    for (const key of held) this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    let live = true;
    return {
      [Symbol.dispose]: () => {
        if (!live) return;
        live = false;
        for (const key of held) {
          const left = (this.counts.get(key) ?? 0) - 1;
          if (left > 0) this.counts.set(key, left);
          else this.counts.delete(key);
        }
      },
    };
  }

  isHeld(key: string): boolean {
    return this.counts.has(key);
  }
}
