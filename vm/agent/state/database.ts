/** The one SQLite file of the agent: WAL, synchronous FULL, prepared statements cached, migrations by name. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';

/** Applied once, in the order given, each in its own transaction. A name never changes its meaning once released. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

export type Row = Readonly<Record<string, SQLOutputValue>>;

export interface Database {
  all(sql: string, ...values: SQLInputValue[]): Row[];
  get(sql: string, ...values: SQLInputValue[]): Row | undefined;
  run(sql: string, ...values: SQLInputValue[]): { readonly changes: number };
  /** Synchronous and atomic: a throw inside rolls back and is rethrown. Nested calls join the outer transaction. */
  transaction<Result>(work: () => Result): Result;
  close(): void;
}

/**
 * Opens or creates the database and brings it up to date.
 * @throws when the file is damaged, or was written by a newer agent (it holds migrations this one does not know).
 */
export function openDatabase(path: string, migrations: readonly Migration[]): Database {
  const sqlite = process.getBuiltinModule('node:sqlite');
  const connection = new sqlite.DatabaseSync(path);
  connection.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000',
  );
  const database = wrap(connection);
  try {
    migrate(connection, database, migrations);
  } catch (error) {
    connection.close();
    throw error;
  }
  return database;
}

function migrate(connection: DatabaseSync, database: Database, migrations: readonly Migration[]): void {
  connection.exec('CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, appliedAt TEXT NOT NULL) STRICT');
  const applied = new Set(database.all('SELECT name FROM migration').map((row) => String(row.name)));
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = [...applied].filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Error(`the state was written by a newer Wherry (${unknown.join(', ')})`);
  for (const migration of migrations) {
    if (applied.has(migration.name)) continue;
    database.transaction(() => {
      connection.exec(migration.sql);
      database.run('INSERT INTO migration VALUES (?, ?)', migration.name, new Date().toISOString());
    });
  }
}

function wrap(connection: DatabaseSync): Database {
  const statements = new Map<string, StatementSync>();
  let depth = 0;
  const prepare = (sql: string): StatementSync => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = connection.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  };
  return {
    all: (sql, ...values) => prepare(sql).all(...values),
    get: (sql, ...values) => prepare(sql).get(...values),
    run: (sql, ...values) => ({ changes: Number(prepare(sql).run(...values).changes) }),
    transaction(work) {
      if (depth > 0) return work();
      connection.exec('BEGIN IMMEDIATE');
      depth += 1;
      try {
        const result = work();
        connection.exec('COMMIT');
        return result;
      } catch (error) {
        connection.exec('ROLLBACK');
        throw error;
      } finally {
        depth -= 1;
      }
    },
    close: () => connection.close(),
  };
}
