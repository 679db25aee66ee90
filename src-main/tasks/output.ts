/** What one task prints, kept for whoever comes later. */
const maxLines = 5000;
const maxLineLength = 2000;

export class TaskOutput {
  #lines: string[] = [];
  /** Lines before those that are kept. */
  #dropped = 0;
  #unfinished = '';
  #ended = false;
  readonly #bell = new EventTarget();

  /** Takes text as it comes; what follows its last line end waits for the rest of its line. */
  print(text: string): void {
    const lines = (this.#unfinished + text).split('\n');
    this.#unfinished = lines.pop() ?? '';
    this.#add(lines);
  }

  end(): void {
    if (this.#unfinished !== '') this.#add([this.#unfinished]);
    this.#unfinished = '';
    this.#ended = true;
    this.#bell.dispatchEvent(new Event('change'));
  }

  /** Batches of lines from the first that is kept on, until the end or the signal. */
  async *follow(signal: AbortSignal): AsyncGenerator<{ readonly lines: readonly string[] }, void, undefined> {
    let next = 0;
    signal.addEventListener('abort', () => this.#bell.dispatchEvent(new Event('change')), { once: true });
    while (!signal.aborted) {
      next = Math.max(next, this.#dropped);
      const lines = this.#lines.slice(next - this.#dropped, next - this.#dropped + 1000);
      next += lines.length;
      if (lines.length > 0) yield { lines };
      else if (this.#ended) return;
      else await new Promise((resolve) => this.#bell.addEventListener('change', resolve, { once: true }));
    }
  }

  #add(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#lines.push(...lines.map((line) => line.replace(/\r$/, '').slice(0, maxLineLength)));
    const excess = this.#lines.length - maxLines;
    if (excess > maxLines / 10) {
      this.#lines = this.#lines.slice(excess);
      this.#dropped += excess;
    }
    this.#bell.dispatchEvent(new Event('change'));
  }
}
