/** The `filters` of list, prune and events requests: `{"status":["exited"]}`, or the old `{"status":{"exited":true}}`. */
import { EngineError } from '../contract/errors.ts';

export class Filters {
  private readonly values: ReadonlyMap<string, readonly string[]>;

  /** Throws `invalid-parameter` for malformed JSON and names not in `known`. */
  static parse(text: string | null, known: readonly string[]): Filters {
    if (text === null || text === '') return new Filters(new Map());
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch (error) {
      throw new EngineError('invalid-parameter', `invalid filters: ${(error as Error).message}`, { cause: error });
    }
    if (typeof parsed !== 'object' || parsed === null) throw new EngineError('invalid-parameter', 'invalid filters');
    const values = new Map<string, string[]>();
    for (const [name, given] of Object.entries(parsed)) {
      if (!known.includes(name)) throw new EngineError('invalid-parameter', `Invalid filter '${name}'`);
      values.set(name, toList(name, given));
    }
    return new Filters(values);
  }

  private constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.values = values;
  }

  get(name: string): readonly string[] {
    return this.values.get(name) ?? [];
  }

  has(name: string): boolean {
    return this.get(name).length > 0;
  }

  /** No such filter, or one of its values is this. */
  matches(name: string, value: string): boolean {
    return !this.has(name) || this.get(name).includes(value);
  }

  matchesPrefix(name: string, value: string): boolean {
    return !this.has(name) || this.get(name).some((wanted) => value.startsWith(wanted));
  }

  /** Values are regular expressions, tried on each candidate; a malformed one is taken literally. */
  matchesPattern(name: string, candidates: readonly string[]): boolean {
    if (!this.has(name)) return true;
    return this.get(name).some((wanted) => {
      const test = patternTest(wanted);
      return candidates.some(test);
    });
  }

  /** All of `label` (`name` or `name=value`) and none of `label!`. */
  matchesLabels(labels: Readonly<Record<string, string>>): boolean {
    const has = (wanted: string): boolean => {
      const at = wanted.indexOf('=');
      return at < 0 ? wanted in labels : labels[wanted.slice(0, at)] === wanted.slice(at + 1);
    };
    return this.get('label').every(has) && !this.get('label!').some(has);
  }
}

function toList(name: string, given: unknown): string[] {
  if (Array.isArray(given) && given.every((value) => typeof value === 'string')) return given;
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) {
    return Object.entries(given).flatMap(([value, isSet]) => (isSet === true ? [value] : []));
  }
  throw new EngineError('invalid-parameter', `Invalid filter '${name}'`);
}

function patternTest(text: string): (candidate: string) => boolean {
  try {
    const pattern = new RegExp(text);
    return (candidate) => pattern.test(candidate);
  } catch {
    return (candidate) => candidate.includes(text);
  }
}
