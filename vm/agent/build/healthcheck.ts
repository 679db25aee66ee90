/** `HEALTHCHECK` of a Dockerfile. */
import { readCommand } from './command.ts';

/** As an image's configuration has it; times in nanoseconds. */
export interface Healthcheck {
  readonly Test: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

type Fail = (message: string) => Error;

export function readHealthcheck(text: string, flags: ReadonlyMap<string, string>, fail: Fail): Healthcheck {
  const [kind = ''] = text.split(/\s/, 1);
  const rest = text.slice(kind.length).trim();
  switch (kind.toUpperCase()) {
    case 'NONE':
      if (rest !== '') throw fail('HEALTHCHECK NONE takes no arguments');
      return { Test: ['NONE'] };
    case 'CMD': {
      const command = readCommand(rest, fail);
      const words = command.form === 'exec' ? command.words : [command.text];
      if (words.join('') === '') throw fail('Missing command after HEALTHCHECK CMD');
      return { Test: [command.form === 'exec' ? 'CMD' : 'CMD-SHELL', ...words], ...readTimes(flags, fail) };
    }
    default:
      throw fail(`unknown type "${kind.toUpperCase()}" in HEALTHCHECK (try CMD)`);
  }
}

const minimumNs = 1e6;

function readTimes(flags: ReadonlyMap<string, string>, fail: Fail): Omit<Healthcheck, 'Test'> {
  const time = (flag: string, key: string): Record<string, number> => {
    const text = flags.get(flag);
    if (text === undefined) return {};
    const value = durationNs(text);
    if (value === undefined) throw fail(`time: invalid duration "${text}"`);
    if (value !== 0 && value < minimumNs) throw fail(`Interval "${flag}" cannot be less than 1ms`);
    return { [key]: value };
  };
  const retries = flags.get('retries');
  if (retries !== undefined && !/^\d{1,9}$/.test(retries))
    throw fail(`--retries must be a whole number, not "${retries}"`);
  return {
    ...time('interval', 'Interval'),
    ...time('timeout', 'Timeout'),
    ...time('start-period', 'StartPeriod'),
    ...time('start-interval', 'StartInterval'),
    ...(retries === undefined ? {} : { Retries: Number(retries) }),
  };
}

const unitsNs: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 };

/** `1m30s`, as Go writes times. */
function durationNs(text: string): number | undefined {
  if (text === '0') return 0;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) return undefined;
  return Math.round(parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitsNs[unit ?? ''] ?? 0), 0));
}
