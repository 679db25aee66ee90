/** The stock docker CLI in a home: commands that are meant to succeed. */
import assert from 'node:assert/strict';
import type { Ended, WherryHome } from './wherry-cli.ts';

/** Resolves with the trimmed output; fails the test when the command failed. */
export type Docker = (...args: string[]) => Promise<string>;

/** The command succeeded; gives its trimmed output. */
export function ok(ended: Ended): string {
  assert.equal(ended.code, 0, `${ended.stderr}\n${ended.stdout}`);
  return ended.stdout.trim();
}

export function dockerIn(home: WherryHome): Docker {
  return async (...args) => ok(await home.docker(args));
}
