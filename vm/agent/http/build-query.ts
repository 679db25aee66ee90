/** The query and headers of `POST /build`. */
import { z } from 'zod';
import { EngineError } from '../../contract/errors.ts';
import type { BuildRequest } from '../use-cases/build-request.ts';
import { parseAs } from './body.ts';
import { createContainerBody } from './create-body.ts';
import { booleanOf, integerOf } from './query.ts';

const values = z.record(z.string(), z.string().nullable());
const strings = z.array(z.string()).nullable();
const ulimits = z.array(z.object({ Name: z.string(), Soft: z.number().int(), Hard: z.number().int() })).nullable();
const registries = z.record(
  z.string(),
  z
    .object({
      username: z.string().optional(),
      password: z.string().optional(),
      auth: z.string().optional(),
      identitytoken: z.string().optional(),
      registrytoken: z.string().optional(),
    })
    .loose(),
);

export function parseBuildQuery(query: URLSearchParams, registryConfig: string | string[] | undefined): BuildRequest {
  const text = (name: string): string => query.get(name) ?? '';
  const given = jsonOf(query, 'buildargs', values) ?? {};
  const labels = jsonOf(query, 'labels', values) ?? {};
  const credentials = credentialsOf(Array.isArray(registryConfig) ? registryConfig[0] : registryConfig);
  return {
    dockerfile: text('dockerfile') === '' ? 'Dockerfile' : text('dockerfile'),
    names: query.getAll('t').filter((name) => name !== ''),
    // Null: the client has no value for it; the Dockerfile's own stands.
    buildArgs: new Map(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== null)),
    labels: Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, value ?? ''])),
    target: text('target'),
    noCache: booleanOf(query, 'nocache'),
    pull: booleanOf(query, 'pull'),
    cacheFrom: jsonOf(query, 'cachefrom', strings) ?? [],
    removeAfter: booleanOf(query, 'rm', true),
    removeAfterFailure: booleanOf(query, 'forcerm'),
    platform: text('platform'),
    container: createContainerBody.parse({
      HostConfig: {
        Memory: integerOf(query, 'memory') ?? 0,
        MemorySwap: integerOf(query, 'memswap') ?? 0,
        CpuShares: integerOf(query, 'cpushares') ?? 0,
        CpuPeriod: integerOf(query, 'cpuperiod') ?? 0,
        CpuQuota: integerOf(query, 'cpuquota') ?? 0,
        CpusetCpus: text('cpusetcpus'),
        CpusetMems: text('cpusetmems'),
        ShmSize: integerOf(query, 'shmsize') ?? 0,
        NetworkMode: text('networkmode'),
        Ulimits: jsonOf(query, 'ulimits', ulimits) ?? [],
        ExtraHosts: query.getAll('extrahosts').flatMap((list) => list.split(',').filter((host) => host !== '')),
      },
    }),
    credentials,
  };
}

function jsonOf<Schema extends z.ZodType>(
  query: URLSearchParams,
  name: string,
  schema: Schema,
): z.infer<Schema> | undefined {
  const text = query.get(name) ?? '';
  if (text === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EngineError('invalid-parameter', `error reading ${name}: not JSON`, { cause });
  }
  return value === null ? undefined : parseAs(schema, value);
}

/** Hub's credentials come under its old address. */
function credentialsOf(header: string | undefined): BuildRequest['credentials'] {
  if (header === undefined || header === '') return () => undefined;
  let known: z.infer<typeof registries>;
  try {
    known = registries.parse(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) ?? {});
  } catch {
    // Docker goes on without them.
    return () => undefined;
  }
  return (domain) => {
    const names = domain === 'docker.io' ? ['https://index.docker.io/v1/', 'docker.io'] : [domain, `https://${domain}`];
    const found = names.map((name) => known[name]).find((entry) => entry !== undefined);
    if (found === undefined) return undefined;
    const [username, password] = Buffer.from(found.auth ?? '', 'base64')
      .toString('utf8')
      .split(/:(.*)/s, 2);
    return {
      username: found.username ?? username,
      password: found.password ?? password,
      identityToken: found.identitytoken,
      registryToken: found.registrytoken,
    };
  };
}
