/**
 * The stock docker CLI against Wherry's socket: it must behave as against Docker, exit codes and error texts included.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { busybox, docker, dockerSuite, home, imageOf, inGuest, killAgent, registry } from '../helpers/docker.ts';
import { until } from '../helpers/until.ts';
import { collect, ok } from '../helpers/wherry-cli.ts';

dockerSuite('the docker CLI', () => {
  describe('system', () => {
    test('version and info', async () => {
      const version = await docker('version', '--format', '{{.Server.APIVersion}} {{.Server.Os}}/{{.Server.Arch}}');
      assert.match(version, /^1\.47 linux\/(amd64|arm64)$/);
      const info = await docker('info', '--format', '{{.OSType}} {{.CgroupVersion}} {{.Driver}} {{.ServerVersion}}');
      assert.match(info, /^linux 2 overlay2? \S+$/);
    });
  });

  describe('images', () => {
    test('pull shows the digest, pull again says up to date, rmi removes, pull of an unknown image fails', async () => {
      const nginx = await imageOf('nginx');
      const first = await docker('pull', nginx);
      assert.match(first, /Digest: sha256:[0-9a-f]{64}/);
      assert.match(first, /Status: Downloaded newer image for /);
      assert.match(await docker('pull', nginx), /Status: Image is up to date for /);
      assert.match(await docker('images', '--format', '{{.Repository}}:{{.Tag}}'), new RegExp(`^${nginx}$`, 'm'));
      assert.ok((await docker('history', '-q', nginx)).split('\n').length >= 2);
      assert.match(await docker('rmi', nginx), /Untagged: .*\n(.*\n)*Deleted: sha256:/);
      const unknown = await home.docker(['pull', `${registry.host}/no-such-image`]);
      assert.equal(unknown.code, 1);
      assert.match(unknown.stderr, /manifest unknown|not found|repository does not exist/);
    });

    test('an unreachable registry is named', async () => {
      const gone = await home.docker(['pull', 'localhost:1/busybox']);
      assert.equal(gone.code, 1);
      assert.match(gone.stderr, /localhost:1/);
    });

    test('an image in use is not removed', async () => {
      const id = await docker('create', busybox, 'true');
      const refused = await home.docker(['rmi', busybox]);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /conflict: unable to (remove repository reference|delete)/);
      await docker('rm', id);
    });
  });

  describe('run', () => {
    test('output, exit code and removal', async () => {
      const ended = await home.docker([
        'run',
        '--rm',
        '--name',
        'once',
        busybox,
        'sh',
        '-c',
        'echo out; echo err >&2; exit 42',
      ]);
      assert.deepEqual(ended, { code: 42, stdout: 'out\n', stderr: 'err\n' });
      assert.equal(await docker('ps', '-aq', '--filter', 'name=once'), '');
    });

    test('stdin is piped and its end is seen', async () => {
      const ended = await home.docker(['run', '--rm', '-i', busybox, 'cat'], { input: 'over\nthe water\n' });
      assert.deepEqual(ended, { code: 0, stdout: 'over\nthe water\n', stderr: '' });
    });

    test('a large stdin arrives whole', async () => {
      const input = 'x'.repeat(1023).concat('\n').repeat(4096);
      const ended = await home.docker(['run', '--rm', '-i', busybox, 'wc', '-c'], { input });
      assert.equal(ok(ended), String(input.length));
    });

    test('a terminal', async () => {
      const ended = await home.dockerTty(['run', '--rm', '-it', busybox, 'sh', '-c', 'tty; stty size']);
      assert.equal(ended.code, 0, ended.stdout);
      assert.match(ended.stdout, /\/dev\/(pts\/0|console)\r\n\d+ \d+\r\n/);
    });

    test('command not found is 127, not executable 126, unknown image 125', async () => {
      const missing = await home.docker(['run', '--rm', busybox, 'no-such-command']);
      assert.equal(missing.code, 127);
      assert.match(missing.stderr, /exec: "no-such-command": executable file not found in \$PATH/);
      const folder = await home.docker(['run', '--rm', busybox, '/etc']);
      assert.equal(folder.code, 126);
      assert.match(folder.stderr, /exec: "\/etc": (is a directory|permission denied)/);
      const unknown = await home.docker(['run', '--rm', `${registry.host}/no-such-image`]);
      assert.equal(unknown.code, 125);
    });

    test('a name can be taken once', async () => {
      await docker('create', '--name', 'taken', busybox);
      const again = await home.docker(['create', '--name', 'taken', busybox]);
      assert.equal(again.code, 1);
      assert.match(
        again.stderr,
        /Conflict\. The container name "\/taken" is already in use by container "[0-9a-f]{64}"/,
      );
      await docker('rm', 'taken');
    });

    test('too little memory is refused', async () => {
      const ended = await home.docker(['run', '--rm', '-m', '1m', busybox, 'true']);
      assert.equal(ended.code, 125);
      assert.match(ended.stderr, /Minimum memory limit allowed is 6MB/);
    });

    test('user, working folder, environment, hostname, entrypoint', async () => {
      const ended = await docker(
        ...['run', '--rm', '-u', '1000:1001', '-w', '/tmp', '-e', 'A=b c', '-h', 'boat', '--entrypoint', 'sh', busybox],
        ...['-c', 'id -u; id -g; pwd; echo "$A"; hostname'],
      );
      assert.deepEqual(ended.split('\n'), ['1000', '1001', '/tmp', 'b c', 'boat']);
    });

    test('default container: root inside, high uid outside, only the default capabilities, private processes', async () => {
      const id = await docker('run', '-d', busybox, 'sleep', '1000');
      assert.match(await docker('exec', id, 'id'), /^uid=0\(?/);
      assert.match(await docker('exec', id, 'grep', 'CapEff', '/proc/self/status'), /CapEff:\s+00000000a80425fb/);
      assert.equal(
        await docker('exec', id, 'cat', '/proc/1/cmdline').then((line) => line.replaceAll('\0', ' ').trim()),
        'sleep 1000',
      );
      const pid = await docker('inspect', '-f', '{{.State.Pid}}', id);
      const outside = ok(await inGuest(`awk '/^Uid:/{print $2}' /proc/${pid}/status`));
      assert.ok(Number(outside) >= 100_000, outside);
      const disk = await home.docker(['exec', id, 'sh', '-c', 'mknod /tmp/vda b 254 0 && head -c 1 /tmp/vda']);
      assert.notEqual(disk.code, 0);
      await docker('rm', '-f', id);
    });

    test('the processes, shared memory and devices of others, or none', async () => {
      const running = await docker('run', '-d', busybox, 'sleep', '1234');
      const ps = ['ps', '-o', 'args'];
      assert.match(await docker('run', '--rm', '--pid', `container:${running}`, busybox, ...ps), /^sleep 1234$/m);
      const seen = await docker('run', '--rm', '--pid', `container:${running}`, busybox, ...ps);
      assert.doesNotMatch(seen, /agent/, 'those of the container only');
      const capture = ['--network', `container:${running}`, '--cap-add', 'NET_ADMIN', busybox];
      await docker('run', '--rm', ...capture, 'ip', 'link', 'set', 'eth0', 'mtu', '1400');
      assert.match(await docker('exec', running, 'ip', 'link', 'show', 'eth0'), /mtu 1400/);
      assert.match(await docker('run', '--rm', '--pid', 'host', busybox, ...ps), /agent/);
      const unshared = await home.docker(['run', '--rm', '--ipc', `container:${running}`, busybox, 'true']);
      assert.match(unshared.stderr, /non-shareable IPC \(hint: use IpcMode:shareable/);
      await docker('rm', '-f', running);
      const write = 'umask 077; echo buoy > /dev/shm/word; exec sleep 1000';
      const shares = await docker('run', '-d', '--ipc', 'shareable', busybox, 'sh', '-c', write);
      const read = ['run', '--rm', '--ipc', `container:${shares}`, busybox, 'cat', '/dev/shm/word'];
      assert.equal(await docker(...read), 'buoy');
      await docker('rm', '-f', shares);
      assert.notEqual((await home.docker(['run', '--rm', '--ipc', 'none', busybox, 'ls', '/dev/shm'])).code, 0);
      await docker('run', '--rm', '--ipc', 'host', busybox, 'ls', '/dev/shm');
      await docker('run', '--rm', '--privileged', busybox, 'test', '-c', '/dev/kmsg', '-a', '-b', '/dev/vda');
      assert.notEqual((await home.docker(['run', '--rm', busybox, 'test', '-e', '/dev/kmsg'])).code, 0);
    });

    test('a WebSocket is attached: input goes in, both streams come out', async () => {
      const script = 'read word; echo "got $word"; echo over >&2';
      const id = await docker('run', '-d', '-i', busybox, 'sh', '-c', script);
      const place = `/v1.47/containers/${id}/attach/ws?stream=1&stdin=1&stdout=1&stderr=1`;
      const socket = new WebSocket(`ws+unix:${home.dockerHost.slice('unix://'.length)}:${place}`);
      let told = '';
      socket.on('message', (data: Buffer) => (told += data.toString()));
      socket.on('open', () => socket.send('tea\n'));
      await once(socket, 'close');
      assert.equal(told, 'got tea\nover\n');
      await docker('rm', '-f', id);
    });

    test('programs see that they are in a container, and that is no change of theirs', async () => {
      await docker('run', '--name', 'marked', busybox, 'test', '-f', '/.dockerenv');
      assert.equal(await docker('diff', 'marked'), '');
      await docker('rm', 'marked');
    });

    test('a volume at /etc does not hide the names of hosts', async () => {
      assert.match(await docker('run', '--rm', '-v', '/etc', busybox, 'cat', '/etc/hosts'), /localhost/);
    });

    test('a user by group alone is root, and the group is among the supplementary ones', async () => {
      assert.equal(await docker('run', '--rm', '-u', ':5', busybox, 'sh', '-c', 'id -u; id -G'), '0\n5');
    });

    test('read-only root and tmpfs', async () => {
      const ended = await home.docker([
        ...['run', '--rm', '--read-only', '--tmpfs', '/scratch', busybox],
        ...['sh', '-c', 'echo ok > /scratch/a && cat /scratch/a && echo no > /a'],
      ]);
      assert.notEqual(ended.code, 0);
      assert.equal(ended.stdout, 'ok\n');
      assert.match(ended.stderr, /Read-only file system/);
    });
  });

  describe('life of a container', () => {
    test('create, start, ps, inspect, rename, pause, stop, restart, wait, rm', async () => {
      const id = await docker(
        'create',
        '--name',
        'life',
        busybox,
        'sh',
        '-c',
        'trap "exit 3" TERM; while :; do sleep 0.1; done',
      );
      assert.equal(
        await docker('ps', '-a', '--no-trunc', '--filter', 'name=^/life$', '--format', '{{.ID}} {{.State}}'),
        `${id} created`,
      );
      assert.equal(await docker('start', 'life'), 'life');
      assert.equal(await docker('inspect', '-f', '{{.State.Status}} {{.Name}}', id), 'running /life');
      await docker('rename', 'life', 'afterlife');
      await docker('pause', 'afterlife');
      assert.match(await docker('ps', '--filter', 'name=afterlife', '--format', '{{.Status}}'), /\(Paused\)$/);
      await docker('unpause', 'afterlife');
      const waiting = home.docker(['wait', 'afterlife']);
      await sleep(300);
      await docker('stop', 'afterlife');
      assert.equal(ok(await waiting), '3');
      assert.match(await docker('ps', '-a', '--filter', 'name=afterlife', '--format', '{{.Status}}'), /^Exited \(3\)/);
      await docker('restart', 'afterlife');
      const running = await home.docker(['rm', 'afterlife']);
      assert.equal(running.code, 1);
      assert.match(running.stderr, /container is running/);
      await docker('rm', '-f', 'afterlife');
      const gone = await home.docker(['inspect', 'afterlife']);
      assert.equal(gone.code, 1);
      assert.match(gone.stderr, /No such object: afterlife/);
    });

    test('logs: tail, timestamps, follow until the end', async () => {
      const id = await docker(
        'run',
        '-d',
        busybox,
        'sh',
        '-c',
        'for i in 1 2 3 4 5; do echo line $i; sleep 0.2; done; echo bad >&2',
      );
      const followed = await home.docker(['logs', '-f', id]);
      assert.equal(followed.stdout, 'line 1\nline 2\nline 3\nline 4\nline 5\n');
      assert.equal(followed.stderr, 'bad\n');
      assert.equal((await home.docker(['logs', '--tail', '2', id])).stdout, 'line 5\n');
      assert.match(await docker('logs', '-t', '--tail', '1', id).catch(() => ''), /^$|Z /);
      await docker('rm', id);
    });

    test('exec: exit code, terminal, user; stdin', async () => {
      const id = await docker('run', '-d', busybox, 'sleep', '1000');
      assert.equal((await home.docker(['exec', id, 'sh', '-c', 'exit 7'])).code, 7);
      assert.equal((await home.docker(['exec', id, 'no-such-command'])).code, 127);
      assert.equal(ok(await home.docker(['exec', '-i', id, 'cat'], { input: 'ahoy' })), 'ahoy');
      assert.equal(await docker('exec', '-u', '5', id, 'id', '-u'), '5');
      const typed = await home.dockerTty(['exec', '-it', id, 'sh'], { input: 'echo $((40 + 2))\nexit 9\n' });
      assert.equal(typed.code, 9, typed.stdout);
      assert.match(typed.stdout, /42\r\n/);
      await docker('rm', '-f', id);
    });

    test('the toolbox is a shell in a container that has none', async () => {
      await docker('run', '-d', '--name', 'bare', '--user', '7', '--hostname', 'bare', busybox, 'sleep', '1000');
      await docker('exec', '--user', '0', 'bare', 'rm', '/bin/sh', '/bin/ls');
      assert.equal((await home.docker(['exec', 'bare', 'sh', '-c', 'true'])).code, 127);
      const script = 'hostname; id -u; ls /bin/sh 2>/dev/null || echo no shell; exit 3';
      const ended = await home.wherry(['ssh', '--toolbox', 'bare', '--', 'sh', '-c', script]);
      assert.deepEqual([ended.stdout, ended.code], ['bare\n7\nno shell\n', 3], ended.stderr);
      assert.equal((await home.wherry(['ssh', '--toolbox'])).code, 2);
      await docker('rm', '-f', 'bare');
    });

    test('top and stats', async () => {
      const id = await docker('run', '-d', busybox, 'sleep', '1000');
      assert.match(await docker('top', id), /^UID +PID +PPID .*CMD\n.*sleep 1000$/s);
      const stats = await docker('stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}} {{.PIDs}}', id);
      assert.match(stats, /^\S+ [1-9]\S* ?\/ ?\S+ 1$/);
      await docker('rm', '-f', id);
    });

    test('events tell what happened', async () => {
      const since = String(Date.now() / 1000 - 1);
      const watching = home.spawnDocker([
        'events',
        '--since',
        since,
        '--filter',
        'type=container',
        '--format',
        '{{.Action}}',
      ]);
      const watched = collect(watching);
      await sleep(500);
      await docker('run', '--rm', '--name', 'eventful', busybox, 'true');
      await sleep(500);
      watching.kill('SIGTERM');
      const actions = (await watched).stdout.trim().split('\n');
      for (const action of ['create', 'attach', 'start', 'die', 'destroy'])
        assert.ok(actions.includes(action), `${action} in ${actions.join()}`);
    });

    test('prune removes what is stopped', async () => {
      const id = await docker('run', '-d', busybox, 'true');
      await docker('wait', id);
      assert.match(await docker('container', 'prune', '-f'), new RegExp(id));
    });
  });

  describe('limits', () => {
    test('a memory hog is killed: 137 and OOMKilled', async () => {
      const hog = ['sh', '-c', 'x=a; while :; do x=$x$x; done'];
      const ended = await home.docker(['run', '--name', 'hog', '-m', '64m', busybox, ...hog]);
      assert.equal(ended.code, 137);
      assert.equal(await docker('inspect', '-f', '{{.State.OOMKilled}} {{.State.ExitCode}}', 'hog'), 'true 137');
      await docker('rm', 'hog');
    });

    test('a fork bomb leaves everything else responsive', async () => {
      const id = await docker('run', '-d', '--pids-limit', '64', busybox, 'sh', '-c', 'b() { b | b & }; b; sleep 1000');
      await sleep(1000);
      assert.equal(await docker('run', '--rm', busybox, 'echo', 'alive'), 'alive');
      await docker('rm', '-f', id);
    });
  });

  describe('ports', () => {
    test('a published port answers on the loopback of the host; a taken one is an error that names it', async () => {
      const serve = 'echo ahoy > /tmp/index.html; exec httpd -f -p 80 -h /tmp';
      const id = await docker('run', '-d', '-p', '127.0.0.1::80', busybox, 'sh', '-c', serve);
      const address = await docker('port', id, '80/tcp');
      assert.match(address, /^127\.0\.0\.1:\d+$/);
      await until('the page is served', () =>
        fetch(`http://${address}/`).then(
          (answer) => answer.ok,
          () => false,
        ),
      );
      const port = address.split(':')[1] ?? '';
      const second = await home.docker(['run', '--rm', '-p', `127.0.0.1:${port}:80`, busybox, 'true']);
      assert.equal(second.code, 125);
      assert.match(
        second.stderr,
        new RegExp(`127\\.0\\.0\\.1:${port}.*port is already allocated|${port}.*already in use`),
      );
      await docker('rm', '-f', id);
      await assert.rejects(fetch(`http://${address}/`));
    });
  });

  describe('the agent killed', () => {
    test('20 containers live on, their logs have no gap, ps, wait and exec work again', async () => {
      // Slowly: an emulated machine has better things to do than twenty programs that fork all the time.
      const count = 'i=0; while :; do echo $i; i=$((i+1)); sleep 2; done';
      const one = (): Promise<string> => docker('run', '-d', '--label', 'fleet=1', busybox, 'sh', '-c', count);
      const ids = await Promise.all(Array.from({ length: 20 }, one));
      const [first = ''] = ids;
      const pid = await docker('inspect', '-f', '{{.State.Pid}}', first);
      const waiting = home.docker(['wait', first]);
      await killAgent();
      await until('all are listed again', async () => {
        const listed = await home.docker(['ps', '-q', '--filter', 'label=fleet=1']);
        return listed.code === 0 && listed.stdout.trim().split('\n').length === 20;
      });
      await waiting; // It ended with the agent; what matters is that it did end.
      assert.equal(await docker('inspect', '-f', '{{.State.Pid}}', first), pid);
      assert.equal(await docker('exec', first, 'echo', 'here'), 'here');
      const again = home.docker(['wait', first]);
      await sleep(1000);
      await docker('kill', first);
      assert.equal(ok(await again), '137');
      const running = await docker('ps', '-q', '--filter', 'label=fleet=1', '--filter', 'status=running');
      assert.equal(running.split('\n').length, 19);
      for (const id of ids) {
        const numbers = (await docker('logs', id)).split('\n').map(Number);
        assert.ok(numbers.length > 2, `${numbers.length} lines`);
        assert.deepEqual(
          numbers,
          numbers.map((_, index) => index),
        );
      }
      await docker('rm', '-f', ...ids);
    });
  });
});
