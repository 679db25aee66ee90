// @ts-check
/** Finds test files. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

/**
 * Every `*.test.ts(x)` below a folder, sorted.
 * @param {string} folder
 * @returns {string[]}
 */
export function testFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.test\.tsx?$/.test(name))
    .map((name) => path.join(folder, name))
    .sort();
}
