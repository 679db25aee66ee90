/** All style sheets are one in the window: a class that two of them describe is two things under one name. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const folder = path.join(import.meta.dirname, '../../../../src-renderer/styles');

test('a class has its own rule in one style sheet only', () => {
  const sheets = new Map<string, Set<string>>();
  for (const file of readdirSync(folder)) {
    const text = readFileSync(path.join(folder, file), 'utf8');
    for (const [, name = ''] of text.matchAll(/^\.([a-z][\w-]*)\s*[,{]/gm)) {
      sheets.set(name, (sheets.get(name) ?? new Set()).add(file));
    }
  }
  assert.ok(sheets.size > 100);
  const shared = [...sheets].filter(([, files]) => files.size > 1).map(([name, files]) => [name, ...files]);
  assert.deepEqual(shared, []);
});
