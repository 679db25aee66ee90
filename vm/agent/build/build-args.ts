/** `ARG` scoping: before the first FROM, in a stage, and those that need no declaration. */
import type { Variables } from './expansion.ts';

/** Passed on without being declared; not part of a step's cache key unless they are. */
const predeclared = new Set(
  ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
);
/** Means the times of the image, to the builder itself. */
const epochName = 'SOURCE_DATE_EPOCH';

export class BuildArgs {
  private readonly given: ReadonlyMap<string, string>;
  private readonly globals = new Map<string, string | undefined>();
  private readonly used = new Set<string>([epochName]);
  private stage = new Map<string, string | undefined>();

  constructor(given: ReadonlyMap<string, string>) {
    this.given = given;
  }

  /** An ARG before the first FROM: only FROM lines see it, and stages that declare it again. */
  declareGlobal(name: string, value: string | undefined): void {
    this.used.add(name);
    this.globals.set(name, this.given.get(name) ?? value);
  }

  globalVariables(): Variables {
    return defined(this.globals);
  }

  startStage(): void {
    this.stage = new Map();
  }

  declare(name: string, value: string | undefined): void {
    this.used.add(name);
    this.stage.set(name, this.given.get(name) ?? value ?? this.globals.get(name));
  }

  /** What expands in this stage: its environment wins over arguments. */
  variables(env: readonly string[]): Variables {
    const variables = new Map(this.undeclared());
    for (const [name, value] of defined(this.stage)) variables.set(name, value);
    for (const [name, value] of env.map(entryPair)) variables.set(name, value);
    return variables;
  }

  /** `NAME=value` of the arguments that a RUN sees in addition to the image's environment. */
  environment(env: readonly string[]): { readonly all: string[]; readonly cached: string[] } {
    const taken = new Set(env.map((entry) => entryPair(entry)[0]));
    const visible = [...new Map([...this.undeclared(), ...defined(this.stage)])].filter(([name]) => !taken.has(name));
    const text = (entries: [string, string][]): string[] => entries.map(([name, value]) => `${name}=${value}`).sort();
    return { all: text(visible), cached: text(visible.filter(([name]) => this.stage.has(name))) };
  }

  /** Seconds since 1970, from the argument of that name. */
  sourceDateEpoch(): number | undefined {
    const text = this.given.get(epochName);
    return text !== undefined && /^\d{1,11}$/.test(text) ? Number(text) : undefined;
  }

  unused(): string[] {
    return [...this.given.keys()].filter((name) => !this.used.has(name) && !predeclared.has(name)).sort();
  }

  private undeclared(): [string, string][] {
    return [...this.given].filter(([name]) => predeclared.has(name));
  }
}

export function entryPair(entry: string): [string, string] {
  const at = entry.indexOf('=');
  return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
}

function defined(values: ReadonlyMap<string, string | undefined>): Map<string, string> {
  return new Map([...values].filter((entry): entry is [string, string] => entry[1] !== undefined));
}
