/** `docker run --init`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busybox, docker, dockerSuite, home } from '../helpers/docker.ts';

dockerSuite('run --init', () => {
  test('the program is not PID 1, and its orphans are reaped', async () => {
    const script = `sh -c 'true & exec true'; sleep 1; tr '\\0' ' ' </proc/1/cmdline; echo; grep -l "^State:.Z" /proc/[0-9]*/status; exit 3`;
    const ended = await home.docker(['run', '--rm', '--init', '--read-only', busybox, 'sh', '-c', script]);
    assert.equal(ended.code, 3, ended.stderr);
    assert.match(ended.stdout, /^\/sbin\/docker-init -- sh -c .*\n$/);
    const missing = await home.docker(['run', '--rm', '--init', busybox, 'no-such-command']);
    assert.equal(missing.code, 127, missing.stderr);
  });

  test('signals arrive; inspect names the program, not the init', async () => {
    const script = 'trap "echo bye; exit 4" TERM; echo up; while :; do sleep 0.1; done';
    const id = await docker('run', '-d', '--init', '--name', 'gentle', busybox, 'sh', '-c', script);
    assert.equal(await docker('inspect', '-f', '{{.HostConfig.Init}} {{.Path}}', id), 'true sh');
    await docker('exec', id, 'sh', '-c', 'until ps -o args | grep -q "sleep 0.1"; do :; done');
    await docker('stop', id);
    assert.equal(await docker('inspect', '-f', '{{.State.ExitCode}}', id), '4');
    assert.equal(await docker('logs', id), 'up\nbye');
    await docker('rm', id);
  });

  test('a terminal belongs to the program', async () => {
    const ended = await home.dockerTty([
      'run',
      '--rm',
      '--init',
      '-it',
      busybox,
      'sh',
      '-c',
      'cut -d" " -f1,5,8 /proc/$$/stat',
    ]);
    // Its process, its group, the terminal's foreground group.
    assert.equal(ended.stdout, '2 2 2\r\n');
    assert.equal(ended.code, 0);
  });
});
