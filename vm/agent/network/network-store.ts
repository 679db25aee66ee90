/** The networks that users made: one document each in the database, kept over restarts. */
import { z } from 'zod';
import type { Database, Migration } from '../state/database.ts';
import type { NetworkRecord } from './network.ts';

export const networkMigrations: readonly Migration[] = [
  {
    name: 'networks-1',
    sql: 'CREATE TABLE network (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, document TEXT NOT NULL) STRICT',
  },
];

const words = z.record(z.string(), z.string());
const document = z.object({
  id: z.string(),
  name: z.string(),
  driver: z.enum(['bridge', 'macvlan', 'ipvlan']),
  createdAtMs: z.number(),
  internal: z.boolean(),
  attachable: z.boolean(),
  subnets: z.array(
    z.object({
      subnet: z.string(),
      gateway: z.string(),
      range: z.string().exactOptional(),
      auxiliary: words.exactOptional(),
    }),
  ),
  options: words,
  labels: words,
});

export interface NetworkStore {
  load(): readonly NetworkRecord[];
  save(record: NetworkRecord): void;
  remove(id: string): void;
}

export function createNetworkStore(database: Database): NetworkStore {
  return {
    load: () =>
      database
        .all('SELECT document FROM network ORDER BY rowid')
        .map((row) => document.parse(JSON.parse(String(row.document)))),
    save(record) {
      database.run(
        'INSERT INTO network (id, name, document) VALUES (?, ?, ?)',
        record.id,
        record.name,
        JSON.stringify(record),
      );
    },
    remove(id) {
      database.run('DELETE FROM network WHERE id = ?', id);
    },
  };
}
