/** Finds the route of a path: literal segments, `:name` for one segment, `*name` for one or more. */
import type { Route } from './route.ts';

export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

export class Router {
  /** By first literal segment, so that a request is compared with its own noun's routes only. */
  private readonly bySegment = new Map<string, { readonly route: Route; readonly pattern: readonly string[] }[]>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const pattern = route.path.split('/').slice(1);
      const key = pattern[0] ?? '';
      const list = this.bySegment.get(key) ?? [];
      list.push({ route, pattern });
      this.bySegment.set(key, list);
    }
  }

  /** `wrong-method`: the path exists, the method does not. */
  match(method: string, path: string): RouteMatch | 'not-found' | 'wrong-method' {
    const segments = path.split('/').slice(1);
    let found = false;
    for (const { route, pattern } of this.bySegment.get(segments[0] ?? '') ?? []) {
      const params = matchSegments(pattern, segments);
      if (params === undefined) continue;
      if (route.method === method) return { route, params };
      found = true;
    }
    return found ? 'wrong-method' : 'not-found';
  }
}

function matchSegments(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (let index = 0; index < pattern.length; index += 1) {
    const part = pattern[index] ?? '';
    if (part.startsWith('*')) {
      const after = pattern.length - index - 1;
      const end = segments.length - after;
      if (end <= index) return undefined;
      const rest = matchSegments(pattern.slice(index + 1), segments.slice(end));
      const value = decode(segments.slice(index, end).join('/'));
      return rest === undefined || value === undefined ? undefined : { ...params, ...rest, [part.slice(1)]: value };
    }
    const segment = segments[index];
    if (segment === undefined) return undefined;
    if (part.startsWith(':')) {
      const value = decode(segment);
      if (value === undefined || value === '') return undefined;
      params[part.slice(1)] = value;
    } else if (part !== segment) return undefined;
  }
  return pattern.length === segments.length ? params : undefined;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
