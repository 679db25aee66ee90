/** `--init`'s program, compiled and run as PID 1 of a pid namespace. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

const root = path.resolve(import.meta.dirname, '..', '..', '..');
const work = mkdtempSync(path.join(tmpdir(), 'wherry-container-init-'));
const program = path.join(work, 'container-init');
const asFirst = ['--pid', '--fork', '--mount-proc', '--kill-child', program];
const canUnshare = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
const skip = canUnshare ? false : 'needs the right to make a pid namespace';

describe('container-init', () => {
  before(() => {
    const flags = ['-std=gnu17', '-D_GNU_SOURCE', '-O1', '-g', '-fsanitize=address,undefined', '-Wall', '-Werror'];
    execFileSync('gcc', [...flags, '-o', program, 'native/container-init/container-init.c'], { cwd: root });
  });
  after(() => rmSync(work, { recursive: true, force: true }));

  function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync('unshare', [...asFirst, ...args], { encoding: 'utf8', timeout: 60_000 });
  }

  test('ends as the program does', { skip }, () => {
    assert.equal(run('--', 'sh', '-c', 'exit 7').status, 7);
    assert.equal(run('--', 'sh', '-c', 'kill -9 $$').status, 137);
    assert.equal(run('--', '/etc').status, 126);
    const missing = run('--', 'no-such-program');
    assert.deepEqual([missing.status, missing.stderr], [127, 'exec: "no-such-program": No such file or directory\n']);
    assert.equal(run('sh').status, 127, 'its own usage');
  });

  test('reaps what is left to it', { skip }, () => {
    // The inner shell leaves its child to PID 1; each must be gone from /proc, not a zombie, when the loop ends.
    const script = `
      for i in 1 2 3 4 5; do sh -c 'true & exec true'; done
      until ! grep -ls "^State:.Z" /proc/[0-9]*/status; do sleep 0.05; done
      echo clean`;
    assert.match(run('--', 'sh', '-c', script).stdout, /clean\n$/);
  });

  test('hands on signals', { skip }, async () => {
    const script = `trap 'echo hup' HUP; trap 'echo term; exit 5' TERM; echo ready; while :; do sleep 0.05; done`;
    const child = spawn('unshare', [...asFirst, '--', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const seen: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      seen.push(...chunk.trim().split('\n'));
      const last = seen.at(-1);
      if (last !== 'ready' && last !== 'hup') return;
      // unshare's child is PID 1 inside.
      const first = execFileSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8' }).trim();
      process.kill(Number(first), last === 'ready' ? 'SIGHUP' : 'SIGTERM');
    });
    const [status] = (await once(child, 'close')) as [number];
    assert.deepEqual(seen, ['ready', 'hup', 'term']);
    assert.equal(status, 5);
  });
});
