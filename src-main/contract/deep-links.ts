/**
 * Addresses of places in the window: `wherry://containers/web/logs`. The desktop registers the scheme; the page takes the
 * same path in its fragment (`#/containers/web/logs`), in both shells.
 */

export const linkScheme = 'wherry:';

/** Of which there are several, each with a name. */
export type NamedNoun = 'containers' | 'images' | 'volumes' | 'networks' | 'registries';

export type DeepLink =
  | { readonly noun: NamedNoun; readonly name?: string; readonly tab?: string }
  | { readonly noun: 'logs' | 'events' | 'engine' };

const maxLength = 1024;

/**
 * Parses an address or the path of one. Names are percent-encoded; of an image's name the slashes need not be.
 * Undefined for anything else: an address may come from any page or program.
 */
export function parseDeepLink(text: string): DeepLink | undefined {
  if (text.length > maxLength) return undefined;
  const path = text.startsWith(`${linkScheme}//`) ? text.slice(linkScheme.length + 2) : /^\/(.*)$/s.exec(text)?.[1];
  const parts = path === undefined ? [] : decodeParts(path.replace(/[?#].*$/s, ''));
  if (!parts) return undefined;
  const [noun, ...rest] = parts;
  switch (noun) {
    case 'logs':
    case 'events':
    case 'engine':
      return rest.length === 0 ? { noun } : undefined;
    case 'images':
      return named(noun, rest.length === 0 ? undefined : rest.join('/'));
    case 'containers':
      return rest.length > 2 ? undefined : named(noun, rest[0], rest[1]);
    case 'volumes':
    case 'networks':
    case 'registries':
      return rest.length > 1 ? undefined : named(noun, rest[0]);
    default:
      return undefined;
  }
}

/** The path of a link: `/containers/web/logs`. */
export function linkPath(link: DeepLink): string {
  const { name, tab } = 'name' in link ? link : { name: undefined, tab: undefined };
  const parts = [link.noun, ...(name === undefined ? [] : [name]), ...(tab === undefined ? [] : [tab])];
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

function named(noun: NamedNoun, name?: string, tab?: string): DeepLink {
  return { noun, ...(name === undefined ? {} : { name }), ...(tab === undefined ? {} : { tab }) };
}

/** Undefined when a part is no percent-encoded text, or holds what no name does. */
function decodeParts(path: string): readonly string[] | undefined {
  try {
    const parts = path.replace(/\/$/, '').split('/').map(decodeURIComponent);
    return parts.every((part) => part !== '' && !/\p{Cc}/u.test(part)) ? parts : undefined;
  } catch {
    return undefined;
  }
}
