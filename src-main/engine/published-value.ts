/** A value with listeners: what a topic is made of. */
import type { Unsubscribe } from '../services.ts';

export class PublishedValue<T> {
  #current: T;
  #text: string;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(initial: T) {
    this.#current = initial;
    this.#text = JSON.stringify(initial);
  }

  get current(): T {
    return this.#current;
  }

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  /** Tells the listeners, unless the new value says the same as the old. */
  set(value: T): void {
    const text = JSON.stringify(value);
    if (text === this.#text) return;
    this.#current = value;
    this.#text = text;
    for (const listener of [...this.#listeners]) listener(value);
  }

  onChange(listener: (value: T) => void): Unsubscribe {
    const own = (value: T) => listener(value);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }
}
