/** `docker build` with the stock CLI and no buildx: what it prints, how it ends, what it leaves. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { busybox, docker, dockerSuite, home, inGuest, killAgent, registry } from '../helpers/docker.ts';
import { until } from '../helpers/until.ts';
import { collect, ok, type Ended } from '../helpers/wherry-cli.ts';

let folders: string;

/** A context of these files, `Dockerfile` among them. */
async function context(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(`${folders}/`);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return folder;
}

function build(folder: string, ...args: string[]): Promise<Ended> {
  return home.docker(['build', ...args, folder], { env: { DOCKER_BUILDKIT: '0' }, timeoutMs: 280_000 });
}

/** Builds, and gives the image's id. */
async function built(files: Readonly<Record<string, string>>, ...args: string[]): Promise<string> {
  const output = ok(await build(await context(files), ...args));
  const id = /^Successfully built ([0-9a-f]{12})$/m.exec(output)?.[1];
  assert.ok(id, output);
  return id;
}

function run(image: string, ...command: string[]): Promise<string> {
  return docker('run', '--rm', image, ...command);
}

async function assertNothingLeft(): Promise<void> {
  assert.equal(await docker('ps', '-aq'), '');
  const left = await inGuest('ls /var/lib/wherry/builds; grep -c /run/wherry/roots/ /proc/mounts');
  assert.equal(left.stdout.trim(), '0', left.stderr);
}

dockerSuite('building images', () => {
  before(async () => {
    folders = await mkdtemp(path.join(tmpdir(), 'wherry-build-'));
  });
  after(() => rm(folders, { recursive: true, force: true }));

  describe('docker build', () => {
    test('words, ids, cache, names; the second time all from the cache', async () => {
      const folder = await context({
        Dockerfile: `FROM ${busybox}\n# a comment\nENV A=1 \\\n  # inside\n  B="two words"\nRUN echo "$A $B" > /out\nCOPY file /file\nCMD ["cat", "/out", "/file"]\n`,
        file: 'content\n',
      });
      const first = ok(await build(folder, '-t', 'first:one', '-t', 'first:two'));
      const short = '[0-9a-f]{12}';
      assert.match(first, new RegExp(`Step 1/5 : FROM ${busybox}\n(.*\n)* ---> ${short}\nStep 2/5 : ENV A=1`));
      assert.match(
        first,
        new RegExp(
          `Step 3/5 : RUN echo .*\n ---> Running in ${short}\n ---> Removed intermediate container ${short}\n ---> ${short}\nStep 4/5 : COPY file /file\n ---> ${short}\n`,
        ),
      );
      assert.match(
        first,
        new RegExp(`Successfully built ${short}\nSuccessfully tagged first:one\nSuccessfully tagged first:two$`),
      );
      assert.equal(await run('first:two'), '1 two words\ncontent');
      const again = ok(await build(folder, '-t', 'first:one'));
      assert.equal(again.match(/ ---> Using cache/g)?.length, 4);
      assert.equal(
        again.split('\n').find((line) => line.startsWith('Successfully built')),
        first.split('\n').find((line) => line.startsWith('Successfully built')),
      );
      const history = (await docker('history', '--no-trunc', '--format', '{{.CreatedBy}}', 'first:one')).split('\n');
      assert.equal(history[0], '/bin/sh -c #(nop)  CMD ["cat" "/out" "/file"]');
      assert.equal(history[2], '/bin/sh -c echo "$A $B" > /out');
      // Steps are no images of their own in the list.
      assert.doesNotMatch(await docker('images', '--format', '{{.Repository}}'), /<none>/);
      assert.match(await docker('images', '-a', '--format', '{{.Repository}}'), /<none>/);
      await assertNothingLeft();
    });

    test('without a Builder variable the CLI falls back by itself; -q prints the id', async () => {
      const folder = await context({ Dockerfile: `FROM ${busybox}\nLABEL a=b\n` });
      const ended = await home.docker(['build', '-q', folder]);
      assert.match(ok(ended), /^sha256:[0-9a-f]{64}$/);
    });

    test('the cache is missed by what changed and what follows it; other times do not count', async () => {
      const folder = await context({
        Dockerfile: `FROM ${busybox}\nCOPY a /a\nRUN cat /a > /b\n`,
        a: 'one',
      });
      ok(await build(folder));
      execFileSync('touch', ['-d', '2001-01-01', path.join(folder, 'a')]);
      assert.equal(ok(await build(folder)).match(/Using cache/g)?.length, 2);
      await writeFile(path.join(folder, 'a'), 'two');
      assert.doesNotMatch(ok(await build(folder)), /Using cache/);
      await chmod(path.join(folder, 'a'), 0o755);
      assert.doesNotMatch(ok(await build(folder)), /Using cache/);
      assert.doesNotMatch(ok(await build(folder, '--no-cache')), /Using cache/);
    });

    test('stages, ARG scopes, --target, --build-arg, --label', async () => {
      const files = {
        Dockerfile: [
          `ARG IMAGE=${busybox}`,
          'ARG GLOBAL=global',
          'FROM ${IMAGE} AS first',
          'ARG GLOBAL',
          'ARG OWN=own',
          'RUN echo "$GLOBAL $OWN ${UNSET:-none}" > /args',
          'FROM first AS second',
          'RUN echo "[$GLOBAL$OWN]" > /empty',
          'FROM scratch AS third',
          'COPY --from=first /args /first',
          'COPY --from=1 /empty /second',
          `COPY --from=${busybox} /bin/busybox /bin/busybox`,
          'FROM third',
          'CMD ["/bin/busybox", "cat", "/first", "/second"]',
        ].join('\n'),
      };
      assert.equal(await run(await built(files)), 'global own none\n[]');
      assert.equal(
        await run(await built(files, '--build-arg', 'OWN=mine', '--label', 'x=y z', '-t', 'labelled')),
        'global mine none\n[]',
      );
      assert.equal(await docker('inspect', '-f', '{{index .Config.Labels "x"}}', 'labelled'), 'y z');
      assert.equal(await run(await built(files, '--target', 'first'), 'cat', '/args'), 'global own none');
      const unused = await build(await context(files), '--build-arg', 'NOBODY=x');
      assert.match(unused.stdout + unused.stderr, /One or more build-args \[NOBODY\] were not consumed/);
      const missing = await build(await context(files), '--target', 'nowhere');
      assert.equal(missing.code, 1);
      assert.match(missing.stderr, /target stage "nowhere" could not be found/);
    });

    test('COPY and ADD: folders, wildcards, owners, modes, links, ignored files, archives, URLs', async () => {
      const folder = await context({
        Dockerfile: [
          `FROM ${busybox}`,
          'RUN mkdir /real && ln -s /real /link',
          'RUN echo "sailor:x:1234:1234::/:/bin/sh" >> /etc/passwd && echo "sailor:x:1234:" >> /etc/group',
          'COPY tree /tree/',
          'COPY one.txt two.txt /texts/',
          'COPY *.md /docs/',
          'COPY --chown=sailor:sailor --chmod=640 one.txt /owned',
          'COPY one.txt /link/through',
          'WORKDIR /work/deep',
          'COPY one.txt .',
          'ADD bundle.tar.gz /unpacked/',
          'COPY bundle.tar.gz /kept/',
          'COPY . /all/',
          'ARG URL',
          'ADD $URL /fetched/',
        ].join('\n'),
        '.dockerignore': 'secret*\n**/*.log\n!keep.log\nDockerfile\n',
        'tree/in/file': 'x',
        'one.txt': '1',
        'two.txt': '2',
        'a.md': 'a',
        'b.md': 'b',
        'secret.txt': 'no',
        'deep/x.log': 'no',
        'keep.log': 'yes',
      });
      await symlink('file', path.join(folder, 'tree/in/link'));
      execFileSync('tar', ['-czf', path.join(folder, 'bundle.tar.gz'), '-C', path.join(folder, 'tree'), 'in']);
      const server = createServer((_request, response) => response.end('from afar')).listen(0, '127.0.0.1');
      try {
        await new Promise((resolve) => server.once('listening', resolve));
        const { port } = server.address() as { port: number };
        ok(await build(folder, '-t', 'copied', '--build-arg', `URL=http://10.0.2.2:${port}/page.html`));
      } finally {
        server.close();
      }
      const look = await run(
        'copied',
        'sh',
        '-c',
        'cat /texts/* /docs/*; echo; stat -c "%n %a %u:%g" /owned /real/through /work/deep/one.txt /fetched/page.html; readlink /tree/in/link; readlink /link; ls /unpacked/in /kept; ls /all; ls -a /all | grep -c "^.dockerignore"; cat /fetched/page.html; pwd',
      );
      assert.deepEqual(look.split('\n'), [
        ...[
          '12ab',
          '/owned 640 1234:1234',
          '/real/through 644 0:0',
          '/work/deep/one.txt 644 0:0',
          '/fetched/page.html 600 0:0',
        ],
        ...['file', '/real', '/kept:', 'bundle.tar.gz', '', '/unpacked/in:', 'file', 'link'],
        ...[
          'a.md',
          'b.md',
          'bundle.tar.gz',
          'deep',
          'keep.log',
          'one.txt',
          'tree',
          'two.txt',
          '1',
          'from afar/work/deep',
        ],
      ]);
    });

    test('heredocs, escape directive, shells, users, health checks and triggers', async () => {
      const script = [
        '# syntax=docker/dockerfile:1',
        `FROM ${busybox} AS heredocs`,
        'ARG NAME=boat',
        'RUN <<EOF',
        'echo one > /lines',
        'echo $((1 + 1)) >> /lines',
        'EOF',
        'RUN <<EOF',
        '#!/bin/busybox cat',
        'EOF',
        'COPY <<one.txt <<-"two.txt" /texts/',
        'hello ${NAME}',
        'one.txt',
        '\t\traw ${NAME}',
        'two.txt',
        'RUN cat <<A - > /piped',
        'a line',
        'A',
        'SHELL ["/bin/sh", "-e", "-c"]',
        'USER 5:6',
        'WORKDIR /tmp',
        'EXPOSE 80 90-91/udp',
        'VOLUME /data',
        'STOPSIGNAL SIGINT',
        'HEALTHCHECK --interval=30s --retries=2 CMD true',
        'ONBUILD RUN echo triggered > /tmp/triggered',
        'ENTRYPOINT ["cat"]',
        'CMD ["/lines", "/texts/one.txt", "/texts/two.txt", "/piped"]',
      ].join('\n');
      ok(await build(await context({ Dockerfile: script }), '-t', 'heredocs'));
      assert.equal(await run('heredocs'), 'one\n2\nhello boat\nraw ${NAME}\na line');
      const config = JSON.parse(await docker('inspect', '-f', '{{json .Config}}', 'heredocs')) as Record<
        string,
        unknown
      >;
      assert.deepEqual(
        [
          config.User,
          config.WorkingDir,
          config.StopSignal,
          Object.keys(config.ExposedPorts as object).sort(),
          config.Volumes,
        ],
        ['5:6', '/tmp', 'SIGINT', ['80/tcp', '90/udp', '91/udp'], { '/data': {} }],
      );
      assert.deepEqual(config.Healthcheck, { Test: ['CMD-SHELL', 'true'], Interval: 30_000_000_000, Retries: 2 });
      const child = ok(
        await build(
          await context({
            Dockerfile: '# escape=`\nFROM heredocs\nRUN echo a`\nb > /tmp/x\nCMD ["/tmp/triggered", "/tmp/x"]\n',
          }),
          '-t',
          'child',
        ),
      );
      assert.match(child, /# Executing 1 build trigger\n/);
      assert.equal(await run('child'), 'triggered\nab');
    });

    test('failures: words and exit codes', async () => {
      const failing = await build(await context({ Dockerfile: `FROM ${busybox}\nRUN echo before && exit 7\n` }));
      assert.equal(failing.code, 7);
      assert.match(failing.stderr, /The command '\/bin\/sh -c echo before && exit 7' returned a non-zero code: 7/);
      assert.match(failing.stdout, /^before$/m);
      await docker('container', 'prune', '-f');
      for (const [dockerfile, words] of [
        [`FROM ${busybox}\nFLOAT x\n`, /dockerfile parse error on line 2: unknown instruction: FLOAT/],
        [
          `FROM ${busybox}\nCOPY missing /x\n`,
          /COPY failed: file not found in build context or excluded by \.dockerignore: stat missing: file does not exist/,
        ],
        [`FROM ${busybox}\nCOPY ../../etc/passwd /x\n`, /COPY failed: forbidden path outside the build context/],
        [`FROM ${busybox}\nCOPY *.nothing /x/\n`, /COPY failed: no source files were specified/],
        ['RUN x\n', /no build stage in current context/],
        ['', /the Dockerfile \(Dockerfile\) cannot be empty/],
        [`FROM ${registry.host}/nowhere\n`, /(manifest unknown|not found|repository does not exist)/],
        [`FROM ${busybox}\nRUN --mount=type=cache,target=/x true\n`, /the --mount option requires BuildKit/],
      ] as const) {
        const ended = await build(await context({ Dockerfile: dockerfile }));
        assert.equal(ended.code, 1, `${dockerfile}: ${ended.stdout}`);
        assert.match(ended.stderr, words);
      }
      await assertNothingLeft();
    });

    test('a build that is broken off leaves nothing', async () => {
      const folder = await context({ Dockerfile: `FROM ${busybox}\nRUN echo started && sleep 1000\n` });
      const child = home.spawnDocker(['build', folder]);
      const ended = collect(child);
      let seen = '';
      child.stdout?.on('data', (chunk: Buffer) => (seen += chunk.toString()));
      await until('the step has started', () => /^started$/m.test(seen));
      child.kill('SIGINT');
      assert.notEqual((await ended).code, 0);
      await until('the container is removed', async () => (await docker('ps', '-aq')) === '');
      await assertNothingLeft();
    });

    test('a reader who takes nothing for long holds the build back, and gets all of it', async () => {
      const last = 1_000_000;
      const child = home.spawnDocker(['build', await context({ Dockerfile: `FROM ${busybox}\nRUN seq 1 ${last}\n` })]);
      const { stdout } = child;
      assert.ok(stdout);
      await until('the step runs', async () => (await docker('ps', '-q')) !== '');
      // Longer than the monitor's patience with those who attach to a container, and than seq needs.
      await sleep(20_000);
      assert.notEqual(await docker('ps', '-q'), '', 'it waits for its reader');
      const lines = (await text(stdout)).split('\n');
      const first = lines.indexOf('1');
      assert.deepEqual(
        lines.slice(first, first + last).findIndex((line, index) => line !== `${index + 1}`),
        -1,
      );
      assert.match(lines.slice(-5).join('\n'), /^Successfully built /m);
      await assertNothingLeft();
    });

    test('an agent that dies in the middle of a build takes its leftovers away at its next start', async () => {
      const folder = await context({ Dockerfile: `FROM ${busybox}\nRUN echo started && sleep 1000\n` });
      const child = home.spawnDocker(['build', folder]);
      const ended = collect(child);
      await until('the container runs', async () => (await docker('ps', '-q')) !== '');
      await killAgent();
      assert.notEqual((await ended).code, 0);
      await until('the container is removed', async () => {
        const listed = await home.docker(['ps', '-aq']);
        return listed.code === 0 && listed.stdout.trim() === '';
      });
      await assertNothingLeft();
    });

    test('two builds that share their base at once; the same times give the same image', async () => {
      const dockerfile = (name: string): string =>
        `FROM ${busybox}\nRUN echo shared > /shared\nRUN echo ${name} > /own\nCMD cat /shared /own\n`;
      const images = await Promise.all(['left', 'right'].map((name) => built({ Dockerfile: dockerfile(name) })));
      assert.deepEqual(await Promise.all(images.map((image) => run(image))), ['shared\nleft', 'shared\nright']);
      const epoch = ['--no-cache', '--build-arg', 'SOURCE_DATE_EPOCH=1700000000'];
      const files = {
        Dockerfile: `FROM ${busybox}\nCOPY file /file\nRUN mkdir /made && date > /dev/null\n`,
        file: 'x',
      };
      assert.equal(await built(files, ...epoch), await built(files, ...epoch));
    });

    test('--cache-from takes the steps of an image that was brought', async () => {
      const files = { Dockerfile: `FROM ${busybox}\nRUN echo cached > /c\nCMD cat /c\n` };
      const image = await built(files, '-t', 'source');
      const text = ok(await build(await context(files), '--cache-from', 'source'));
      assert.equal(text.match(/Using cache/g)?.length, 2);
      assert.equal(await run(image), 'cached');
      const other = ok(await build(await context(files), '--cache-from', busybox));
      assert.doesNotMatch(other, /Using cache/);
    });
  });
});
