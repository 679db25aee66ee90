import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { boundConsole, consoleTail, followConsole, startConsole } from '../../../../src-main/vm/console.ts';

async function consoleFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-console-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return path.join(folder, 'console.log');
}

test('what was captured comes first, then what is appended, across a cut and split characters', async (t) => {
  const file = await consoleFile(t);
  await writeFile(file, 'booted\n');
  const over = new AbortController();
  const follow = followConsole(file, over.signal);
  assert.equal((await follow.next()).value, 'booted\n');
  const e = Buffer.from('é\n');
  await appendFile(file, e.subarray(0, 1));
  const next = follow.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await appendFile(file, e.subarray(1));
  assert.equal((await next).value, 'é\n');
  await writeFile(file, 'x');
  assert.equal((await follow.next()).value, 'x');
  over.abort();
  assert.equal((await follow.next()).done, true);
});

test('a console that grows for ever is cut, and its end is kept', async (t) => {
  const file = await consoleFile(t);
  await writeFile(file, `${'x'.repeat(5 * 1024 * 1024)}the end`);
  await boundConsole(file);
  assert.equal((await stat(file)).size, 0);
  assert.match(await consoleTail(`${file}.old`), /the end$/);
  await appendFile(file, 'after');
  await boundConsole(file);
  assert.equal(await consoleTail(file), 'after');
});

test('a boot begins a new console and keeps the last one', async (t) => {
  const file = await consoleFile(t);
  await startConsole(file);
  await writeFile(file, 'first');
  await startConsole(file);
  assert.equal(await consoleTail(file), '');
  assert.equal(await consoleTail(`${file}.old`), 'first');
});
