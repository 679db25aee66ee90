/** A file from any web address, as `ADD` names them: with the trust, the proxy and the way to the user's machine that registries have. */
import { EngineError } from '../../contract/errors.ts';
import { leadsHome } from './network.ts';
import type { HttpAnswer, Transport } from './transport.ts';

const maxRedirects = 10;

export interface Download {
  /** In seconds since 1970, where the server says when the file changed. */
  readonly modifiedAt: number | undefined;
  readonly chunks: AsyncIterable<Buffer>;
}

/** Rejects with TransportError, or with EngineError when the answer is no file. */
export async function openDownload(transport: Transport, address: URL, signal: AbortSignal): Promise<Download> {
  let answer = await ask(transport, address, signal);
  for (let hops = 0; answer.headers.location !== undefined && answer.status >= 300 && answer.status < 400; hops += 1) {
    answer.body.destroy();
    const { location } = answer.headers;
    const next = URL.canParse(location, answer.url.href) ? new URL(location, answer.url) : undefined;
    if (next === undefined || hops === maxRedirects || !/^https?:$/.test(next.protocol)) {
      throw new EngineError('invalid-parameter', `${answer.url.host} redirects in circles or to nowhere`);
    }
    if (leadsHome(answer.url, next)) {
      throw new EngineError('forbidden', `${answer.url.host} redirects to this machine (${next.host}): not followed`);
    }
    answer = await ask(transport, next, signal);
  }
  if (answer.status !== 200) {
    answer.body.destroy();
    throw new EngineError('invalid-parameter', `the server answered ${answer.status}`);
  }
  const modifiedMs = Date.parse(answer.headers['last-modified'] ?? '');
  return {
    modifiedAt: Number.isNaN(modifiedMs) ? undefined : modifiedMs / 1000,
    chunks: transport.chunks(answer, signal),
  };
}

function ask(transport: Transport, url: URL, signal: AbortSignal): Promise<HttpAnswer> {
  return transport.request(url, { method: 'GET', headers: { Accept: '*/*', 'User-Agent': 'wherry' }, signal });
}
