/** Lists of names page by page (distribution specification, "Content Discovery"), bounded: a registry may be endless or lie. */
import { z } from 'zod';
import { EngineError } from '../../contract/errors.ts';
import type { HttpAnswer } from './transport.ts';

export interface NameList {
  readonly names: string[];
  /** There are more than are told. */
  readonly more: boolean;
}

export interface Page {
  readonly answer: Pick<HttpAnswer, 'url' | 'headers'>;
  readonly text: string;
}

/** What registries take for a page without complaint. */
const pageNames = 1000;
const maxPages = 50;

/**
 * @param first beneath the registry, without a query
 * @param isName others are left out
 * @param read asks for one page; its target begins with a slash
 */
export async function readNames(
  first: string,
  field: 'tags' | 'repositories',
  limit: number,
  isName: (name: string) => boolean,
  read: (target: string) => Promise<Page>,
): Promise<NameList> {
  const names = new Set<string>();
  let target: string | undefined = `${first}?n=${Math.min(limit + 1, pageNames)}`;
  for (let pages = 0; target !== undefined && pages < maxPages; pages += 1) {
    const { answer, text }: Page = await read(target);
    for (const name of namesOf(text, field, answer.url.host)) {
      if (!isName(name)) continue;
      if (names.size === limit && !names.has(name)) return { names: [...names], more: true };
      names.add(name);
    }
    const next = nextPage(answer);
    // In a circle there is nothing new.
    target = next === target ? undefined : next;
  }
  return { names: [...names], more: target !== undefined };
}

function namesOf(text: string, field: 'tags' | 'repositories', host: string): string[] {
  try {
    const list = z.array(z.string()).nullish();
    return z.object({ [field]: list }).parse(JSON.parse(text))[field] ?? [];
  } catch (cause) {
    throw new EngineError('system', `${host} sent a malformed list of ${field}`, { cause });
  }
}

/** `Link: </v2/…?last=x&n=1000>; rel="next"` (RFC 8288). It stays with the registry, whatever host it names. */
function nextPage({ url, headers }: Page['answer']): string | undefined {
  const { link } = headers;
  const [, address] =
    /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(Array.isArray(link) ? link.join(', ') : (link ?? '')) ?? [];
  if (address === undefined || !URL.canParse(address, url.href)) return undefined;
  const next = new URL(address, url);
  return `${next.pathname}${next.search}`;
}
