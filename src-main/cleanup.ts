/**
 * Undo functions, run last in, first out. Register the undo on the line after acquiring:
 *
 * ```ts
 * await using cleanup = new Cleanup();
 * const server = await listen(path);
 * cleanup.add('close the server', () => server.close());
 * ```
 *
 * A failing undo does not stop the others; all failures are reported together at the end.
 */
export class Cleanup implements AsyncDisposable {
  #undos: { readonly name: string; readonly undo: () => unknown }[] = [];

  /** @param undo may return a promise; it is awaited before the next one runs. */
  add(name: string, undo: () => unknown): void {
    this.#undos.push({ name, undo });
  }

  /** Hands the undos over to a longer-lived owner: this object then undoes nothing. */
  release(): Cleanup {
    const heir = new Cleanup();
    heir.#undos = this.#undos;
    this.#undos = [];
    return heir;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const failures: Error[] = [];
    for (let entry = this.#undos.pop(); entry !== undefined; entry = this.#undos.pop()) {
      try {
        await entry.undo();
      } catch (error) {
        failures.push(new Error(`clean up: ${entry.name}`, { cause: error }));
      }
    }
    const [first] = failures;
    if (first === undefined) return;
    throw failures.length === 1 ? first : new AggregateError(failures, 'several clean-ups failed');
  }
}
