/** Where passwords and tokens are kept: one file, sealed by the system's keychain where the shell has a way to it. */
import { EventEmitter } from 'node:events';
import { rename } from 'node:fs/promises';
import { z } from 'zod';
import type { SecretPlace } from '../contract/registries.ts';
import { readIfThere, writeDurably } from '../durable-file.ts';

/** Seals with a key that the system's keychain holds. Only what the same user's system sealed can be opened. */
export interface Sealer {
  /** Asked each time: a shell may have a keychain only some time after its start. */
  readonly available: boolean;
  seal(text: string): Buffer;
  /** Throws for what somebody else sealed. */
  open(sealed: Buffer): string;
}

export interface KeptSecret {
  readonly name: string;
  /** Beside the secret, and none itself: a user name. */
  readonly label: string;
  readonly place: SecretPlace;
  readonly readable: boolean;
}

export interface SecretStore {
  /** Where one that is put now goes. */
  readonly place: SecretPlace;
  /** By name. */
  list(): readonly KeptSecret[];
  /** Undefined when there is none, or it cannot be opened here. */
  get(name: string): string | undefined;
  /** Durable when it resolves. */
  put(name: string, label: string, secret: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Returns what ends it. */
  onChange(listener: () => void): () => void;
}

const fileSchema = z.object({
  secrets: z.record(
    z.string(),
    z.object({ label: z.string(), place: z.enum(['keychain', 'file']), value: z.string() }),
  ),
});
type Entries = z.infer<typeof fileSchema>['secrets'];

export class FileSecrets implements SecretStore {
  readonly #file: string;
  readonly #sealer: Sealer | undefined;
  readonly #events = new EventEmitter<{ change: [] }>();
  #entries: Entries;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(file: string, sealer: Sealer | undefined, entries: Entries) {
    this.#file = file;
    this.#sealer = sealer;
    this.#entries = entries;
  }

  /** A file that is no such file is set aside as `….damaged`: it keeps nobody from starting, and nothing is overwritten. */
  static async open(file: string, sealer?: Sealer): Promise<FileSecrets> {
    const text = await readIfThere(file);
    const parsed = fileSchema.safeParse(parseJson(text));
    if (text !== undefined && !parsed.success) await rename(file, `${file}.damaged`);
    return new FileSecrets(file, sealer, parsed.data?.secrets ?? {});
  }

  get place(): SecretPlace {
    return this.#sealer?.available === true ? 'keychain' : 'file';
  }

  list(): readonly KeptSecret[] {
    return Object.entries(this.#entries)
      .map(([name, { label, place }]) => ({ name, label, place, readable: this.get(name) !== undefined }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): string | undefined {
    const entry = Object.hasOwn(this.#entries, name) ? this.#entries[name] : undefined;
    if (entry?.place !== 'keychain') return entry?.value;
    if (this.#sealer?.available !== true) return undefined;
    try {
      return this.#sealer.open(Buffer.from(entry.value, 'base64'));
    } catch {
      // Sealed with a key that is gone: the list says that it cannot be read.
      return undefined;
    }
  }

  async put(name: string, label: string, secret: string): Promise<void> {
    const place = this.place;
    const sealed = place === 'keychain' ? this.#sealer?.seal(secret).toString('base64') : undefined;
    await this.#change((entries) => ({ ...entries, [name]: { label, place, value: sealed ?? secret } }));
  }

  async remove(name: string): Promise<void> {
    await this.#change((entries) => Object.fromEntries(Object.entries(entries).filter(([other]) => other !== name)));
  }

  onChange(listener: () => void): () => void {
    this.#events.on('change', listener);
    return () => this.#events.off('change', listener);
  }

  /** One at a time, so that two windows do not undo each other's change. */
  #change(work: (entries: Entries) => Entries): Promise<void> {
    const done = this.#writing.then(async () => {
      const secrets = work(this.#entries);
      await writeDurably(this.#file, `${JSON.stringify({ secrets }, null, 2)}\n`);
      this.#entries = secrets;
      this.#events.emit('change');
    });
    this.#writing = done.catch(() => undefined);
    return done;
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
