/** The `filters` of `/images`. */
import { EngineError } from '../../contract/errors.ts';
import type { ImageFilters } from '../use-cases/list-images.ts';

/** `{"label":["a"]}` or, from old clients, `{"label":{"a":true}}`. */
export function parseImageFilters(text: string | null): ImageFilters {
  if (text === null || text === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EngineError('invalid-parameter', 'invalid filter', { cause });
  }
  if (typeof value !== 'object' || value === null) throw new EngineError('invalid-parameter', 'invalid filter');
  return Object.fromEntries(
    Object.entries(value).map(([name, wanted]: [string, unknown]) => {
      if (Array.isArray(wanted)) return [name, wanted.map(String)];
      if (typeof wanted !== 'object' || wanted === null) throw new EngineError('invalid-parameter', 'invalid filter');
      return [name, Object.entries(wanted).flatMap(([key, on]) => (on === true ? [key] : []))];
    }),
  );
}
