// @ts-check
/** Does work only when its inputs changed since it last succeeded, or its outputs are gone. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './steps.mjs';

/**
 * @param {string} name of the stamp, `build/stamps/<name>`
 * @param {{ inputs: readonly string[], outputs: readonly string[] }} files files and folders, relative to the checkout
 * @returns {{ stale: boolean, done: () => void }} call `done` after the work succeeded
 */
export function freshness(name, files) {
  const stamp = path.join(root, 'build', 'stamps', name);
  const hash = hashOf(files.inputs);
  const outputsThere = files.outputs.every((output) => existsSync(path.join(root, output)));
  const stale = !outputsThere || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== hash;
  return {
    stale,
    done: () => {
      mkdirSync(path.dirname(stamp), { recursive: true });
      writeFileSync(stamp, hash);
    },
  };
}

/** @param {readonly string[]} inputs */
function hashOf(inputs) {
  const hash = createHash('sha256');
  for (const input of inputs) {
    for (const file of filesOf(path.join(root, input))) {
      hash
        .update(`${path.relative(root, file)}\0`)
        .update(readFileSync(file))
        .update('\0');
    }
  }
  return hash.digest('hex');
}

/** @param {string} place @returns {string[]} */
function filesOf(place) {
  if (!existsSync(place)) return [];
  if (!statSync(place).isDirectory()) return [place];
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(place, name))
    .filter((file) => statSync(file).isFile())
    .sort();
}
