/** `/containers/:id/archive` and `/export`: tar streams out of and into containers. */
import path from 'node:path';
import type { Readable } from 'node:stream';
import { EngineError } from '../../contract/errors.ts';
import type { FoundFile } from '../runtime/files-program.ts';
import { cleanPath, exportContainer, readArchive, statPath, writeArchive } from '../use-cases/container-files.ts';
import type { Parts } from '../use-cases/parts.ts';
import { booleanOf } from './query.ts';
import { writeChunk } from './reply.ts';
import type { Route, RouteContext } from './route.ts';

export function containerFileRoutes(parts: Parts): Route[] {
  return [
    {
      method: 'HEAD',
      path: '/containers/:id/archive',
      handle: async ({ response, params, query, signal }) => {
        const request = pathRequest(params, query);
        const found = await statPath(parts, request, signal);
        response.writeHead(200, { 'X-Docker-Container-Path-Stat': pathStat(request.path, found) });
        response.end();
      },
    },
    {
      method: 'GET',
      path: '/containers/:id/archive',
      handle: async (context) => {
        const request = pathRequest(context.params, context.query);
        await readArchive(parts, request, context.signal, (found, archive) => {
          const headers = {
            'Content-Type': 'application/x-tar',
            'X-Docker-Container-Path-Stat': pathStat(request.path, found),
          };
          return sendArchive(context, archive, headers);
        });
        context.response.end();
      },
    },
    {
      method: 'PUT',
      path: '/containers/:id/archive',
      handle: async ({ request, response, params, query, signal }) => {
        const wanted = {
          ...pathRequest(params, query),
          noOverwriteDirNonDir: booleanOf(query, 'noOverwriteDirNonDir'),
          copyUidGid: booleanOf(query, 'copyUIDGID'),
        };
        try {
          await writeArchive(parts, wanted, request, signal);
        } finally {
          request.resume(); // what an archive holds after its end, or after an error
        }
        response.writeHead(200).end();
      },
    },
    {
      method: 'GET',
      path: '/containers/:id/export',
      handle: async (context) => {
        const { params, response, signal } = context;
        await exportContainer(parts, params.id ?? '', signal, (archive) =>
          sendArchive(context, archive, { 'Content-Type': 'application/octet-stream' }),
        );
        response.end();
      },
    },
  ];
}

function pathRequest(params: RouteContext['params'], query: URLSearchParams): { reference: string; path: string } {
  const given = query.get('path') ?? '';
  if (given === '') throw new EngineError('invalid-parameter', 'bad parameter: pathcannot be empty'); // Docker's words
  return { reference: params.id ?? '', path: given };
}

/** The answer is not ended here: only a whole archive may end well. */
export async function sendArchive(
  { response, signal }: RouteContext,
  archive: Readable,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  response.writeHead(200, headers);
  for await (const chunk of archive as AsyncIterable<Buffer>) {
    signal.throwIfAborted();
    await writeChunk(response, chunk, signal);
  }
}

/** Docker's description of a file: JSON in base64, with the bits of Go's `FileMode`. */
export function pathStat(given: string, found: FoundFile): string {
  const clean = cleanPath(given);
  const stat = {
    name: clean === '/' ? '/' : path.posix.basename(clean),
    size: found.size,
    mode: goFileMode(found.mode),
    mtime: goTime(found.seconds, found.nanoseconds),
    linkTarget: found.target,
  };
  return Buffer.from(JSON.stringify(stat)).toString('base64');
}

/** By the type bits of `st_mode` (inode(7)). */
const goTypes: Readonly<Record<number, number>> = {
  0o040000: 2 ** 31,
  0o120000: 2 ** 27,
  0o060000: 2 ** 26,
  0o010000: 2 ** 25,
  0o140000: 2 ** 24,
  0o020000: 2 ** 26 + 2 ** 21,
};

/** Go's os.FileMode: the permissions, and types and special bits from the top. */
export function goFileMode(mode: number): number {
  const special = (mode & 0o4000 ? 2 ** 23 : 0) + (mode & 0o2000 ? 2 ** 22 : 0) + (mode & 0o1000 ? 2 ** 20 : 0);
  return (mode & 0o777) + special + (goTypes[mode & 0o170000] ?? 0);
}

/** RFC 3339 with as many digits as it takes, as Go prints it. */
function goTime(seconds: number, nanoseconds: number): string {
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  const fraction = String(nanoseconds).padStart(9, '0').replace(/0+$/, '');
  return `${whole}${fraction === '' ? '' : `.${fraction}`}Z`;
}
