import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { homeHolder, lockHome } from '../../../src-main/acquire.ts';

async function lockFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-lock-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return path.join(folder, 'host.lock');
}

/** A process that takes the lock and holds it until it is killed; prints how it went. */
function holder(file: string) {
  const script = `
    const { lockHome } = await import(${JSON.stringify(path.resolve('src-main/acquire.ts'))});
    try { await lockHome(${JSON.stringify(file)}, 'background'); console.log('held'); setInterval(() => {}, 1000); }
    catch (error) { console.log(error.code); }`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = once(child.stdout, 'data').then(([chunk]) => String(chunk).trim());
  return { child, said };
}

test('one holder; the second is told who it is; letting go frees it', async (t) => {
  const file = await lockFile(t);
  const lock = await lockHome(file, 'shell');
  await assert.rejects(lockHome(file, 'background'), {
    code: 'conflict',
    message: new RegExp(`process ${process.pid} holds this home`),
  });
  assert.equal((await homeHolder(file))?.role, 'shell');
  await lock[Symbol.asyncDispose]();
  assert.equal(await homeHolder(file), undefined);
  const again = await lockHome(file, 'background');
  assert.equal((await homeHolder(file))?.role, 'background');
  await again[Symbol.asyncDispose]();
  assert.deepEqual(await readdir(path.dirname(file)), []);
});

test('of several processes at once exactly one gets it, and a killed holder’s lock is taken over', async (t) => {
  const file = await lockFile(t);
  const holders = [holder(file), holder(file), holder(file)];
  t.after(() => {
    for (const { child } of holders) child.kill('SIGKILL');
  });
  const said = await Promise.all(holders.map((each) => each.said));
  assert.deepEqual(said.toSorted(), ['conflict', 'conflict', 'held']);
  const winner = holders[said.indexOf('held')]?.child;
  assert.equal((await homeHolder(file))?.pid, winner?.pid);
  winner?.kill('SIGKILL');
  if (winner !== undefined) await once(winner, 'exit');
  assert.equal(await homeHolder(file), undefined);
  const takers = await Promise.allSettled([lockHome(file, 'shell'), lockHome(file, 'shell'), lockHome(file, 'shell')]);
  assert.equal(takers.filter((taker) => taker.status === 'fulfilled').length, 1);
});

test('a process id that means another process now is no holder', async (t) => {
  const file = await lockFile(t);
  await writeFile(file, JSON.stringify({ pid: process.pid, started: 'long ago', role: 'shell' }));
  assert.equal(await homeHolder(file), undefined);
  await using _lock = await lockHome(file, 'shell');
});

test('an unreadable lock and a left-over take-over do not lock the home for ever', async (t) => {
  const file = await lockFile(t);
  await writeFile(file, '{"pid":');
  await using _lock = await lockHome(file, 'shell');
  await mkdir(`${file}.takeover`);
  await assert.rejects(lockHome(file, 'shell'), { code: 'conflict' });
});
