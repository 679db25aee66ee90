/** What the shell says and does for its windows. */
import { AppError } from '../contract/errors.ts';
import type { ShellCalls } from './relay.ts';

export interface ShellFacts {
  readonly version: string;
  readonly shell: 'electron' | 'web';
  readonly home: string;
  readonly canStartAtLogin?: boolean;
  /** Absent where the shell cannot: the window then opens links itself. */
  readonly openExternal?: (url: string) => Promise<void> | void;
}

export function shellCalls(facts: ShellFacts): ShellCalls {
  const { version, shell, home, canStartAtLogin = false } = facts;
  return {
    'app.info': () => ({ version, platform: process.platform, shell, home, canStartAtLogin }),
    'app.openExternal': async ({ url }) => {
      const safe = externalUrl(url);
      if (!facts.openExternal) {
        throw new AppError('unsupported', `open ${safe}: in the browser the page opens links itself`);
      }
      await facts.openExternal(safe);
    },
  };
}

/** The normal form of an http(s) link. Anything else could start a program: `invalid-input`. */
export function externalUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    throw new AppError('invalid-input', `open ${url.slice(0, 200)}: only http and https links can be opened`);
  }
  return parsed.href;
}
