/** The newest part of a terminal's output, kept so that a window which comes later can show it. */
export class Scrollback {
  readonly #limit: number;
  #chunks: string[] = [];
  #length = 0;

  /** @param limit UTF-16 code units kept at most */
  constructor(limit: number) {
    this.#limit = limit;
  }

  append(text: string): void {
    this.#chunks.push(text);
    this.#length += text.length;
    // Cut rarely, and then to less than the limit, so that a busy terminal does not copy all at every write.
    if (this.#length > this.#limit * 1.25) this.#cut();
  }

  get text(): string {
    if (this.#length > this.#limit) this.#cut();
    return this.#chunks.join('');
  }

  /** Begins the kept part after a line end where one is near, so that it does not start within an escape sequence. */
  #cut(): void {
    const whole = this.#chunks.join('');
    let from = Math.max(0, whole.length - this.#limit);
    const lineEnd = whole.indexOf('\n', from);
    if (lineEnd !== -1 && lineEnd - from < this.#limit / 4) from = lineEnd + 1;
    // Never between the halves of a surrogate pair.
    const code = whole.charCodeAt(from);
    if (code >= 0xdc00 && code <= 0xdfff) from += 1;
    this.#chunks = [whole.slice(from)];
    this.#length = whole.length - from;
  }
}
