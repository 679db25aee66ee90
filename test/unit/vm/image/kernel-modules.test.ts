import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveModules } from '../../../../vm/image/kernel-modules.ts';
import { ImageError } from '../../../../vm/image/steps.ts';

const tables = {
  dependencies: [
    'kernel/a/top-level.ko: kernel/a/middle.ko kernel/a/base.ko',
    'kernel/a/middle.ko: kernel/a/base.ko',
    'kernel/a/base.ko:',
    'kernel/b/other.ko: kernel/a/base.ko',
    '',
  ].join('\n'),
  builtin: 'kernel/c/built-in.ko\n',
};

test('what a module depends on comes before it, and nothing twice', () => {
  assert.deepEqual(resolveModules(tables, ['top_level', 'other', 'base']), [
    'kernel/a/base.ko',
    'kernel/a/middle.ko',
    'kernel/a/top-level.ko',
    'kernel/b/other.ko',
  ]);
});

test('modules built into the kernel need no file, whichever way their name is written', () => {
  assert.deepEqual(resolveModules(tables, ['built_in', 'built-in']), []);
});

test('a missing module is an error that names it, unless it may be missing', () => {
  assert.deepEqual(resolveModules(tables, ['nowhere?', 'base?']), ['kernel/a/base.ko']);
  assert.throws(
    () => resolveModules(tables, ['nowhere']),
    (error) => error instanceof ImageError && error.message.includes('nowhere') && error.hint !== undefined,
  );
});
