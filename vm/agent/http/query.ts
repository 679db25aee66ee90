/** Reads query parameters as Docker does. */
import { EngineError } from '../../contract/errors.ts';

/** `1`, `true`, `True`… */
export function booleanOf(query: URLSearchParams, name: string, otherwise = false): boolean {
  const text = query.get(name);
  if (text === null) return otherwise;
  return !['', '0', 'no', 'false', 'none'].includes(text.toLowerCase().trim());
}

/** Throws `invalid-parameter` for what is no whole number. */
export function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d{1,15}$/.test(text)) throw new EngineError('invalid-parameter', `invalid ${name}: "${text}"`);
  return Number(text);
}

/** `h` and `w`. */
export function sizeOf(query: URLSearchParams): { columns: number; rows: number } {
  const rows = integerOf(query, 'h');
  const columns = integerOf(query, 'w');
  if (rows === undefined || columns === undefined || rows < 0 || columns < 0 || rows > 65535 || columns > 65535) {
    throw new EngineError('invalid-parameter', 'invalid size: h and w are needed, from 0 to 65535');
  }
  return { columns, rows };
}
