/**
 * What was made for each running container, written before it is made. It lives as long as the links do: until the guest's
 * power-off, beyond the agent's death. Hence files on a tmpfs, and no fsync.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const portRecord = z.object({
  protocol: z.enum(['tcp', 'udp']),
  containerPort: z.number().int(),
  hostIp: z.string(),
  hostPort: z.number().int(),
  /** Others may be tried when this one is taken. */
  hostPorts: z.object({ first: z.number().int(), last: z.number().int() }).optional(),
  guestPort: z.number().int(),
});

const containerRecord = z.object({
  containerId: z.string().regex(/^[\w.-]{1,128}$/),
  endpoints: z.array(
    z.object({
      id: z.string(),
      containerId: z.string(),
      containerName: z.string(),
      networkId: z.string(),
      networkName: z.string(),
      address: z.string(),
      prefixLength: z.number().int(),
      gateway: z.string(),
      inet6: z.object({ address: z.string(), prefixLength: z.number().int(), gateway: z.string() }).exactOptional(),
      mac: z.string(),
      aliases: z.array(z.string()),
      links: z.array(z.string()),
      interfaceName: z.string(),
      /** Our end of the pair; with shared links the name under which the container's is made. Empty without a network. */
      link: z.string(),
    }),
  ),
  ports: z.array(portRecord),
});

export type PortRecord = Readonly<z.infer<typeof portRecord>>;
export type ContainerRecord = Readonly<z.infer<typeof containerRecord>>;
export type EndpointRecord = ContainerRecord['endpoints'][number];

export interface EndpointStore {
  /** Records that cannot be read are left out, and forgotten. */
  load(): readonly ContainerRecord[];
  save(record: ContainerRecord): void;
  remove(containerId: string): void;
}

/** One file a container. Synchronous: a tmpfs does not wait, and a round through the thread pool costs more. */
export function createFileEndpointStore(folder: string): EndpointStore {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fileOf = (containerId: string): string => path.join(folder, `${containerId}.json`);
  return {
    load() {
      const records: ContainerRecord[] = [];
      for (const name of readdirSync(folder)) {
        const record = name.endsWith('.json') ? readRecord(path.join(folder, name)) : undefined;
        if (record === undefined) rmSync(path.join(folder, name), { force: true });
        else records.push(record);
      }
      return records;
    },
    save(record) {
      containerRecord.shape.containerId.parse(record.containerId);
      const file = fileOf(record.containerId);
      writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    },
    remove(containerId) {
      rmSync(fileOf(containerId), { force: true });
    },
  };
}

function readRecord(file: string): ContainerRecord | undefined {
  try {
    return containerRecord.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Torn by the agent's death, or of another version: what it stood for is found and removed as a stray link.
    return undefined;
  }
}
