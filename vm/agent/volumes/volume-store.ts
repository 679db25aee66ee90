/** Volumes: folders below `volumes/<name>/_data`, unshifted, bound idmapped. Their records are in the database. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { EngineError } from '../../contract/errors.ts';
import type { Database, Migration } from '../state/database.ts';
import { checkVolumeOptions } from './volume-options.ts';

export const volumeMigrations: readonly Migration[] = [
  {
    name: 'volumes-1',
    sql: `CREATE TABLE volume (
      name TEXT PRIMARY KEY,
      anonymous INTEGER NOT NULL,
      labels TEXT NOT NULL,
      createdAt TEXT NOT NULL
    ) STRICT`,
  },
  { name: 'volumes-2', sql: "ALTER TABLE volume ADD COLUMN options TEXT NOT NULL DEFAULT '{}'" },
];

export interface Volume {
  readonly name: string;
  /** Made because an image or a user named only a path. */
  readonly anonymous: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the local driver; see `volume-options.ts`. */
  readonly options: Readonly<Record<string, string>>;
  readonly createdAt: string;
  readonly mountpoint: string;
}

export type VolumeListener = (action: 'create' | 'destroy', name: string) => void;

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** What is being filled; no volume's name begins so. */
const pendingPrefix = '.new-';
/** Docker marks anonymous volumes so. */
export const anonymousLabel = 'com.docker.volume.anonymous';

/** A volume that is being filled: there as a whole, or not at all. */
export interface PendingVolume extends AsyncDisposable {
  /** Empty at first. Goes when this is disposed of and was not committed. */
  readonly folder: string;
  /** Throws `conflict` when another of the name came first. */
  commit(): Promise<void>;
}

export class VolumeStore {
  private readonly database: Database;
  private readonly root: string;
  private readonly unmount: (mountpoint: string) => Promise<void>;
  private readonly told: VolumeListener;
  private readonly byName = new Map<string, Volume>();
  private counter = 0;

  /**
   * @param unmount called before a volume is deleted, so that only its own folder is
   * @param told of every one that is made or deleted, also with a container
   */
  constructor(
    database: Database,
    root: string,
    unmount: (mountpoint: string) => Promise<void>,
    told: VolumeListener = () => undefined,
  ) {
    this.database = database;
    this.root = root;
    this.unmount = unmount;
    this.told = told;
    for (const row of database.all('SELECT * FROM volume')) {
      const name = String(row.name);
      this.byName.set(name, {
        name,
        anonymous: row.anonymous === 1,
        labels: JSON.parse(String(row.labels)) as Record<string, string>,
        options: JSON.parse(String(row.options)) as Record<string, string>,
        createdAt: String(row.createdAt),
        mountpoint: this.mountpoint(name),
      });
    }
  }

  all(): Volume[] {
    return [...this.byName.values()];
  }

  find(name: string): Volume {
    const volume = this.byName.get(name);
    if (volume === undefined) throw new EngineError('not-found', `get ${name}: no such volume`);
    return volume;
  }

  /** The volume of this name, made when there is none; a fresh anonymous one without a name. */
  async ensure(
    name: string | undefined,
    labels: Readonly<Record<string, string>> = {},
    options: Readonly<Record<string, string>> = {},
  ): Promise<Volume> {
    const chosen = name ?? randomBytes(32).toString('hex');
    checkName(chosen);
    const existing = this.byName.get(chosen);
    if (existing !== undefined) return existing;
    checkVolumeOptions(chosen, options);
    const volume: Volume = {
      name: chosen,
      anonymous: name === undefined,
      labels: name === undefined ? { ...labels, [anonymousLabel]: '' } : labels,
      options,
      createdAt: nowText(),
      mountpoint: this.mountpoint(chosen),
    };
    await mkdir(volume.mountpoint, { recursive: true, mode: 0o755 });
    this.record(volume);
    return volume;
  }

  /** A place for the content of a new volume. Throws `conflict` when there is one of the name. */
  async begin(name: string, labels: Readonly<Record<string, string>>): Promise<PendingVolume> {
    checkName(name);
    this.checkFree(name);
    this.counter += 1;
    const place = `${this.root}/${pendingPrefix}${process.pid}-${this.counter}`;
    const folder = `${place}/_data`;
    const discard = (): Promise<void> => rm(place, { recursive: true, force: true });
    await discard();
    await mkdir(folder, { recursive: true, mode: 0o755 });
    return {
      folder,
      // Once committed it is no longer there.
      [Symbol.asyncDispose]: discard,
      commit: async () => {
        this.checkFree(name);
        await rename(place, `${this.root}/${name}`);
        const mountpoint = this.mountpoint(name);
        const volume = { name, anonymous: false, labels, options: {}, createdAt: nowText(), mountpoint };
        this.record(volume);
      },
    };
  }

  /** At the agent's start: what a dead one was filling. */
  async removeLeftovers(): Promise<void> {
    const names = await readdir(this.root).catch(() => []); // no volume was ever made
    for (const name of names) {
      if (name.startsWith(pendingPrefix)) await rm(`${this.root}/${name}`, { recursive: true, force: true });
    }
  }

  private checkFree(name: string): void {
    if (this.byName.has(name)) {
      throw new EngineError('conflict', `create ${name}: there is a volume of this name already`);
    }
  }

  private record(volume: Volume): void {
    this.database.run(
      'INSERT INTO volume (name, anonymous, labels, options, createdAt) VALUES (?, ?, ?, ?, ?)',
      volume.name,
      volume.anonymous ? 1 : 0,
      JSON.stringify(volume.labels),
      JSON.stringify(volume.options),
      volume.createdAt,
    );
    this.byName.set(volume.name, volume);
    this.told('create', volume.name);
  }

  /** Throws `conflict` when a container uses it. */
  async remove(name: string, usersOf: (name: string) => readonly string[]): Promise<void> {
    const volume = this.find(name);
    const users = usersOf(name);
    if (users.length > 0) {
      throw new EngineError('conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`);
    }
    await this.unmount(volume.mountpoint);
    await rm(`${this.root}/${volume.name}`, { recursive: true, force: true });
    this.database.run('DELETE FROM volume WHERE name = ?', name);
    this.byName.delete(name);
    this.told('destroy', name);
  }

  /** With its container; leaves named volumes and those that others use. */
  async removeAnonymous(name: string, usersOf: (name: string) => readonly string[]): Promise<void> {
    if (this.byName.get(name)?.anonymous !== true || usersOf(name).length > 0) return;
    await this.remove(name, usersOf);
  }

  private mountpoint(name: string): string {
    return `${this.root}/${name}/_data`;
  }
}

function checkName(name: string): void {
  if (name.length < 2) {
    throw new EngineError(
      'invalid-parameter',
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    );
  }
  if (!namePattern.test(name)) {
    throw new EngineError(
      'invalid-parameter',
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
}

function nowText(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
