/** The window's page under a scheme of its own: its files only, with the strict policy, and no other origin. */
import { readFile, realpath } from 'node:fs/promises';
import type { CustomScheme } from 'electron';
import { securityHeaders } from '../web/security.ts';
import { contentHeaders, findFile } from '../web/static-files.ts';

const scheme = 'wherry';
export const pageOrigin = `${scheme}://app`;
export const pageUrl = `${pageOrigin}/index.html`;

/** To be registered before the app is ready. */
export const pageScheme: CustomScheme = {
  scheme,
  privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
};

export const pageSchemeName = scheme;

/** Answers a request of the page's scheme. Everything goes over IPC, so the page may connect to nothing. */
export async function answerPage(
  folder: string,
  request: { readonly url: string; readonly method: string },
): Promise<Response> {
  const headers = securityHeaders("'none'");
  const url = new URL(request.url);
  if (request.method !== 'GET' || `${url.protocol}//${url.host}` !== pageOrigin) {
    return new Response(null, { status: 403, headers });
  }
  const file = await findFile(folder, url.pathname);
  if (!file) return new Response('There is nothing here.\n', { status: 404, headers });
  const body = new Uint8Array(await readFile(file));
  return new Response(body, { headers: { ...headers, ...contentHeaders(await realpath(folder), file) } });
}
