/** Serves the built window from its folder, and nothing beside it. */
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
};

/** Names with a hash of their content never change what they hold. */
const hashed = /^(chunks|assets)\/.+-[A-Z0-9]{8}\.\w+$/;

/** The file a URL path means, or undefined: no such file, not a plain one, outside the folder, or of no known type. */
export async function findFile(folder: string, urlPath: string): Promise<string | undefined> {
  let name: string;
  try {
    name = decodeURIComponent(urlPath).replace(/^\/+/, '') || 'index.html';
  } catch {
    return undefined;
  }
  if (name.includes('\0') || name.includes('\\') || name.split('/').includes('..')) return undefined;
  if (!contentTypes[path.extname(name)]) return undefined;
  try {
    // Through every link: a link that leads out of the folder is outside.
    const [root, file] = await Promise.all([realpath(folder), realpath(path.join(folder, name))]);
    if (!file.startsWith(root + path.sep) || !(await stat(file)).isFile()) return undefined;
    return file;
  } catch {
    return undefined;
  }
}

export function contentHeaders(folder: string, file: string): Record<string, string> {
  const name = path.relative(folder, file).split(path.sep).join('/');
  return {
    'Content-Type': contentTypes[path.extname(file)] ?? 'application/octet-stream',
    'Cache-Control': hashed.test(name) ? 'public, max-age=31536000, immutable' : 'no-store',
  };
}

/** Answers GET and HEAD of one file. */
export async function sendFile(folder: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    return;
  }
  // Not parsed as a URL, which would take //name for a host.
  const file = await findFile(folder, (request.url ?? '/').replace(/[?#].*$/, ''));
  if (!file) {
    response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
    response.end('There is nothing here.\n');
    return;
  }
  response.writeHead(200, contentHeaders(await realpath(folder), file));
  if (request.method === 'HEAD') response.end();
  else await pipeline(createReadStream(file), response);
}
