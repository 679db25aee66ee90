import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const root = path.resolve(import.meta.dirname, '..', '..');

/** Folders that tools or git put at the root. */
const toolFolders = new Set(['node_modules', 'dist', 'build', 'out', 'test-results', 'playwright-report']);

test('the top level holds the fixed folders and no others', () => {
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !toolFolders.has(entry.name))
    .map((entry) => entry.name);
  assert.deepEqual(
    folders.filter((name) => !['src-main', 'src-renderer', 'vm', 'native', 'test'].includes(name)),
    [],
  );
});
