/** The containers on record: SQLite for durability, a mirror in memory for speed. Lookups follow Docker's rules for names and ids. */
import { EngineError } from '../../contract/errors.ts';
import type { ContainerRecord } from './container-record.ts';
import type { Database, Migration } from './database.ts';

export const containerMigrations: readonly Migration[] = [
  {
    name: 'containers-1',
    sql: `CREATE TABLE container (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      idSlot INTEGER UNIQUE,
      document TEXT NOT NULL
    ) STRICT`,
  },
];

/** Ids of one range; base of the first range; the last base that fits in 32 bits. */
const idRangeSize = 65536;
const firstIdBase = 100_000;
const maxIdSlots = Math.floor((2 ** 32 - firstIdBase) / idRangeSize) - 1;

/** The guest's ids for a container's user namespace. */
export function idRangeOf(record: Pick<ContainerRecord, 'idSlot'>): { base: number; size: number } | undefined {
  if (record.idSlot === undefined) return undefined;
  return { base: firstIdBase + record.idSlot * idRangeSize, size: idRangeSize };
}

interface Wants {
  readonly wantsIdRange: boolean;
  /** Whose range it takes then; undefined: a fresh one. */
  readonly sharesIdsWith?: ContainerRecord | undefined;
  readonly wantsDiskProject?: boolean;
}

export class ContainerStore {
  private readonly database: Database;
  private readonly byId = new Map<string, ContainerRecord>();
  private readonly idByName = new Map<string, string>();

  constructor(database: Database) {
    this.database = database;
    for (const row of database.all('SELECT document FROM container')) {
      this.remember(JSON.parse(String(row.document)) as ContainerRecord);
    }
  }

  /** Oldest first. */
  all(): ContainerRecord[] {
    return [...this.byId.values()];
  }

  get(id: string): ContainerRecord | undefined {
    return this.byId.get(id);
  }

  /** By full id, name, or unique id prefix. Throws `not-found`, or `invalid-parameter` when a prefix fits several. */
  find(reference: string): ContainerRecord {
    const name = reference.startsWith('/') ? reference.slice(1) : reference;
    const direct = this.byId.get(reference) ?? this.byId.get(this.idByName.get(name) ?? '');
    if (direct !== undefined) return direct;
    const matches = /^[0-9a-f]+$/.test(reference) ? [...this.byId.keys()].filter((id) => id.startsWith(reference)) : [];
    if (matches.length > 1) {
      throw new EngineError('invalid-parameter', `Multiple IDs found with provided prefix: ${reference}`);
    }
    const match = this.byId.get(matches[0] ?? '');
    if (match === undefined) throw new EngineError('not-found', `No such container: ${reference}`);
    return match;
  }

  /** Adds a record, with a user-namespace range and a disk project of its own when wanted. Throws `conflict` when the name is taken. */
  add(record: Omit<ContainerRecord, 'idSlot' | 'diskProject'>, wants: Wants): ContainerRecord {
    this.checkName(record.name);
    const added: ContainerRecord = {
      ...record,
      idSlot: wants.wantsIdRange ? (wants.sharesIdsWith?.idSlot ?? this.freeSlot()) : undefined,
      ...(wants.wantsDiskProject === true ? { diskProject: this.freeProject() } : {}),
    };
    this.database.run(
      'INSERT INTO container (id, name, idSlot, document) VALUES (?, ?, ?, ?)',
      added.id,
      added.name,
      // Unique: a shared one is its first holder's.
      wants.sharesIdsWith?.idSlot === undefined ? (added.idSlot ?? null) : null,
      JSON.stringify(added),
    );
    this.remember(added);
    return added;
  }

  /** Durable when it returns. Throws `not-found` when the record is gone, `conflict` when a new name is taken. */
  update(id: string, changes: Partial<Omit<ContainerRecord, 'id' | 'idSlot' | 'diskProject'>>): ContainerRecord {
    const before = this.byId.get(id);
    if (before === undefined) throw new EngineError('not-found', `No such container: ${id}`);
    if (changes.name !== undefined && changes.name !== before.name) this.checkName(changes.name);
    const after: ContainerRecord = { ...before, ...changes };
    this.database.run(
      'UPDATE container SET name = ?, document = ? WHERE id = ?',
      after.name,
      JSON.stringify(after),
      id,
    );
    if (after.name !== before.name) this.idByName.delete(before.name);
    this.remember(after);
    return after;
  }

  remove(id: string): void {
    const record = this.byId.get(id);
    if (record === undefined) return;
    this.database.run('DELETE FROM container WHERE id = ?', id);
    this.byId.delete(id);
    this.idByName.delete(record.name);
  }

  isNameFree(name: string): boolean {
    return !this.idByName.has(name);
  }

  private checkName(name: string): void {
    const holder = this.idByName.get(name);
    if (holder === undefined) return;
    throw new EngineError(
      'conflict',
      `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
  }

  private remember(record: ContainerRecord): void {
    this.byId.set(record.id, record);
    this.idByName.set(record.name, record.id);
  }

  private freeProject(): number {
    const used = new Set([...this.byId.values()].map((record) => record.diskProject));
    let project = 1;
    while (used.has(project)) project += 1;
    return project;
  }

  private freeSlot(): number {
    const used = new Set([...this.byId.values()].map((record) => record.idSlot));
    for (let slot = 0; slot < maxIdSlots; slot += 1) if (!used.has(slot)) return slot;
    throw new EngineError('system', 'no user-namespace range is left: remove containers that are no longer needed');
  }
}
