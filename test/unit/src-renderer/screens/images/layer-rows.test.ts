import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LayerEntry } from '../../../../../src-main/contract/layers.ts';
import {
  foldersAbove,
  layerRows,
  layersOfSteps,
  type FolderAnswer,
} from '../../../../../src-renderer/screens/images/layer-rows.ts';

const entry = (name: string, kind: 'file' | 'folder'): LayerEntry => ({
  ...{ name, kind, change: 'added', added: 1, modified: 0, deleted: 0, sizeBytes: 1, deletedBytes: 0 },
});

test('open folders show what is in them, and what is on its way or failed', () => {
  const answers: Record<string, FolderAnswer> = {
    '/': { value: { entries: [entry('etc', 'folder'), entry('usr', 'folder'), entry('a', 'file')], more: 2 } },
    '/etc': { value: { entries: [entry('x', 'file')], more: 0 } },
    '/usr': { problem: 'gone' },
  };
  const tell = (open: readonly string[]): string[] =>
    layerRows((path) => answers[path], new Set(open)).map((row) =>
      row.kind === 'entry' ? `${row.depth} ${row.path} ${row.position}/${row.siblings}` : `${row.depth} ${row.kind}`,
    );
  assert.deepEqual(tell([]), ['0 /etc 1/3', '0 /usr 2/3', '0 /a 3/3', '0 more']);
  const all = ['0 /etc 1/3', '1 /etc/x 1/1', '0 /usr 2/3', '1 problem', '0 /a 3/3', '0 more'];
  assert.deepEqual(tell(['/etc', '/usr', '/a', '/elsewhere']), all);
  assert.deepEqual(
    layerRows(() => undefined, new Set()).map(({ kind }) => kind),
    ['waiting'],
  );
});

test('the way to a path, and layers numbered past the steps that only set things', () => {
  assert.deepEqual(foldersAbove('/usr/share/doc'), ['/usr', '/usr/share']);
  assert.deepEqual(foldersAbove('/top'), []);
  const step = (empty: boolean) => ({ createdBy: '', sizeBytes: 0, createdAtMs: 0, empty });
  assert.deepEqual(
    layersOfSteps([step(false), step(true), step(false)]).map(({ layer }) => layer),
    [0, undefined, 1],
  );
});
