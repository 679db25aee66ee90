/** Builds that run nothing: real archives, overlays and layers, no VM. What RUN does is in test/slow/docker-build.test.ts. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createContainerBody } from '../../../../../vm/agent/http/create-body.ts';
import type { RegistryNetwork } from '../../../../../vm/agent/registry/network.ts';
import { parseRemote, type BuildContext } from '../../../../../vm/agent/use-cases/build-context.ts';
import { buildImage } from '../../../../../vm/agent/use-cases/build-image.ts';
import type { BuildLine, BuildRequest } from '../../../../../vm/agent/use-cases/build-request.ts';
import type { ImageParts } from '../../../../../vm/agent/use-cases/image-parts.ts';
import type { Parts } from '../../../../../vm/agent/use-cases/parts.ts';
import { pruneBuildCache } from '../../../../../vm/agent/use-cases/prune-images.ts';
import type { KnownImage } from '../../../../../vm/agent/state/images.ts';
import { cannotUnpack, leftovers, openTestStore } from '../../../../helpers/image-store.ts';
import { tar } from '../../../../helpers/tar.ts';
import type { TarEntry } from '../../../../helpers/tar.ts';

interface Built {
  readonly image: KnownImage;
  readonly text: string;
  /** `mode uid:gid` of a file, by the topmost layer that has it. */
  readonly look: (name: string) => string;
  readonly read: (name: string) => string;
}

interface Builder {
  readonly parts: ImageParts;
  readonly build: (entries: readonly TarEntry[] | BuildContext, options?: Partial<BuildRequest>) => Promise<Built>;
}

async function openBuilder(t: TestContext, network: Partial<RegistryNetwork> = {}): Promise<Builder> {
  const store = await openTestStore({ network });
  const config = { dataDir: store.folder, runDir: path.join(store.folder, 'run') };
  t.after(async () => {
    assert.deepEqual(leftovers(store), []);
    assert.deepEqual(readdirSync(path.join(store.folder, 'builds')), []);
    assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(store.folder));
    await store[Symbol.asyncDispose]();
  });
  return {
    parts: store.parts,
    async build(entries, options = {}) {
      const request: BuildRequest = {
        ...{ dockerfile: 'Dockerfile', names: [], buildArgs: new Map(), labels: {}, target: '', platform: '' },
        ...{ noCache: false, pull: false, cacheFrom: [], removeAfter: true, removeAfterFailure: false },
        container: createContainerBody.parse({}),
        credentials: () => undefined,
        ...options,
      };
      const lines: BuildLine[] = [];
      const body = entries instanceof Readable || entries instanceof URL ? entries : Readable.from([tar(...entries)]);
      const signal = new AbortController().signal;
      const output = { tell: (line: BuildLine) => void lines.push(line), taken: () => Promise.resolve() };
      const id = await buildImage({ config } as Parts, store.parts, request, body, output, signal);
      const image = store.parts.records.get(id);
      assert.ok(image);
      const find = (name: string): string => {
        const folders = [...image.layers]
          .reverse()
          .map(({ diffId }) => path.join(store.folder, 'layers', diffId.slice(7)));
        const found = folders
          .map((folder) => path.join(folder, name))
          .find((file) => statSync(file, { throwIfNoEntry: false }));
        assert.ok(found, `${name} is in the image`);
        return found;
      };
      return {
        image,
        text: lines.map((line) => ('stream' in line ? line.stream : '')).join(''),
        look: (name) => {
          const { mode, uid, gid } = statSync(find(name));
          return `${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
        },
        read: (name) => readFileSync(find(name), 'utf8'),
      };
    },
  };
}

function dockerfile(...lines: string[]): TarEntry {
  return { name: 'Dockerfile', data: `${lines.join('\n')}\n` };
}

describe('build', { skip: cannotUnpack }, () => {
  test('files, owners, modes, folders, what is ignored', async (t) => {
    const { build } = await openBuilder(t);
    const { look, read, image, text } = await build(
      [
        dockerfile(
          'FROM scratch',
          'COPY a b /d/',
          'COPY --chown=7:8 --chmod=600 tree /t',
          'WORKDIR /w/x',
          'COPY a .',
          'COPY . /all',
        ),
        { name: '.dockerignore', data: 'Dockerfile\n' },
        { name: 'a', data: 'A', uid: 1000, mode: 0o640 },
        { name: 'b', data: 'B' },
        { name: 'tree/', type: '5', mode: 0o700 },
        { name: 'tree/.wh.kept', data: 'no whiteout' },
        { name: 'tree/in/', type: '5' },
        { name: 'tree/in/file', data: 'F' },
      ],
      { names: ['x/y:z'] },
    );
    assert.deepEqual(['d', 'd/a', 't', 't/in', 't/in/file', 'w/x', 'w/x/a', 'all'].map(look), [
      '755 0:0',
      '640 0:0',
      '755 7:8',
      '600 7:8',
      '600 7:8',
      '755 0:0',
      '640 0:0',
      '755 0:0',
    ]);
    assert.equal(read('all/.dockerignore'), 'Dockerfile\n');
    assert.throws(() => read('all/Dockerfile'));
    assert.equal(image.layers.length, 5);
    assert.match(
      text,
      /Step 6\/6 : COPY \. \/all\n ---> [0-9a-f]{12}\nSuccessfully built [0-9a-f]{12}\nSuccessfully tagged x\/y:z\n$/,
    );
  });

  test('the cache: hit, missed by content, by mode and by what comes before; the epoch makes the same image', async (t) => {
    const { build } = await openBuilder(t);
    const of = (data: string, mode = 0o644, mtime = 1): TarEntry[] => [
      dockerfile('FROM scratch', 'ENV A=b', 'COPY f /f', 'CMD ["x"]'),
      { name: 'f', data, mode, mtime },
    ];
    const hits = ({ text }: Built): number => text.match(/Using cache/g)?.length ?? 0;
    const first = await build(of('one'));
    const again = await build(of('one', 0o644, 99));
    assert.deepEqual([hits(again), again.image.id], [3, first.image.id]);
    assert.equal(hits(await build(of('two'))), 1);
    assert.equal(hits(await build(of('one', 0o600))), 1);
    assert.equal(hits(await build(of('one'), { noCache: true })), 0);
    const epoch = { noCache: true, buildArgs: new Map([['SOURCE_DATE_EPOCH', '1700000000']]) };
    const [left, right] = [
      await build(of('one', 0o644, 1_800_000_000), epoch),
      await build(of('one', 0o644, 1_900_000_000), epoch),
    ];
    assert.equal(left.image.id, right.image.id);
    assert.equal(left.image.config.created, '2023-11-14T22:13:20.000Z');
  });

  test('pruning the cache takes steps that nothing was built on, and leaves images with a name', async (t) => {
    const { build, parts } = await openBuilder(t);
    const of = (data: string): TarEntry[] => [dockerfile('FROM scratch', 'COPY f /f', 'ENV A=b'), { name: 'f', data }];
    const kept = await build(of('kept'), { names: ['kept:1'] });
    const left = await build(of('left'));
    assert.deepEqual(await pruneBuildCache(parts, { until: ['2020-01-01'] }), {
      CachesDeleted: null,
      SpaceReclaimed: 0,
    });
    const pruned = await pruneBuildCache(parts, {});
    assert.equal(pruned.CachesDeleted?.length, 2);
    assert.equal(pruned.CachesDeleted[0], left.image.id);
    assert.equal(pruned.SpaceReclaimed, 'left'.length);
    assert.ok(parts.records.get(kept.image.id)?.parentId);
    assert.match((await build(of('kept'))).text, /Using cache[^]*Using cache/);
    await assert.rejects(pruneBuildCache(parts, { colour: ['red'] }), { code: 'invalid-parameter' });
  });

  test('stages, arguments, links in the image, archives in every compression', async (t) => {
    const { build } = await openBuilder(t);
    const folder = mkdtempSync(path.join(tmpdir(), 'wherry-add-'));
    t.after(() => rmSync(folder, { recursive: true }));
    mkdirSync(path.join(folder, 'in'));
    const archives = (['z', 'j', 'J', ''] as const).map((letter): TarEntry => {
      execFileSync('tar', [`-c${letter}f`, path.join(folder, 'out'), '-C', folder, 'in']);
      return { name: `x${letter}.tar`, data: readFileSync(path.join(folder, 'out')) };
    });
    const { look, read } = await build([
      dockerfile(
        ...[
          'ARG TOP=top',
          'FROM scratch AS one',
          'ARG TOP',
          'ARG NAME=$TOP-name',
          'COPY f /made/$NAME',
          'COPY links/ /',
        ],
        ...[
          'COPY f /abs/through',
          'COPY other /kept',
          'FROM one',
          'COPY --from=0 /made/top-name /copied',
          'COPY --from=one /abs/through /second',
        ],
        ...[
          'ADD xz.tar /z/',
          'ADD xj.tar /j/',
          'ADD xJ.tar /J/',
          'ADD x.tar f /plain/',
          'COPY <<"E" <<F /h/',
          '$A',
          'E',
          '${TOP}x',
          'F',
        ],
      ),
      { name: 'f', data: 'content' },
      { name: 'links/real/', type: '5' },
      { name: 'links/abs', type: '2', link: '/real' },
      { name: 'links/kept', type: '2', link: '/behind' },
      { name: 'links/behind', data: 'old' },
      { name: 'other', data: 'through the link' },
      ...archives,
    ]);
    assert.equal(read('copied') + read('real/through') + read('second') + read('plain/f'), 'content'.repeat(4));
    assert.equal(read('behind'), 'through the link');
    for (const name of ['z/in', 'j/in', 'J/in', 'plain/in']) assert.equal(look(name), '755 0:0', name);
    assert.equal(read('h/E') + read('h/F'), '$A\nx\n');
  });

  test('contexts: compressed, climbing out, not an archive, cut off', async (t) => {
    const { build } = await openBuilder(t);
    const good = tar(dockerfile('FROM scratch', 'COPY Dockerfile /d'));
    for (const command of [
      ['gzip', '-c'],
      ['bzip2', '-c'],
      ['xz', '-c'],
    ]) {
      const [program = '', ...words] = command;
      const { read } = await build(Readable.from([execFileSync(program, words, { input: good })]));
      assert.match(read('d'), /^FROM scratch/);
    }
    const outside = { name: '../../outside', data: 'x' };
    await assert.rejects(build([dockerfile('FROM scratch'), outside]), /leads out of the layer/);
    const linked = [{ name: 'l', type: '2', link: '/etc' }, dockerfile('FROM scratch', 'COPY l/passwd /p')];
    await assert.rejects(build(linked), /stat l\/passwd: file does not exist/);
    await assert.rejects(
      build(Readable.from([Buffer.from('nothing like an archive'.repeat(50))])),
      /not a tar|damaged|checksum|truncated/i,
    );
    await assert.rejects(build(Readable.from([gzipSync(good).subarray(0, 60)])), /truncated/);
    await assert.rejects(build(Readable.from([])), /Cannot locate specified Dockerfile: Dockerfile/);
  });

  test('ADD of an address: redirects, the file’s time, the proxy, and what is refused', async (t) => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const { url = '' } = request;
      if (url.endsWith('/moved')) response.writeHead(302, { Location: '/a%20file' }).end();
      else if (url.endsWith('/home')) response.writeHead(302, { Location: 'http://localhost:1/secret' }).end();
      else if (url.endsWith('/round')) response.writeHead(302, { Location: '/round' }).end();
      else if (url.endsWith('/missing')) response.writeHead(404).end();
      else response.writeHead(200, { 'Last-Modified': 'Thu, 01 Jan 2015 00:00:00 GMT' }).end('from afar');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { build } = await openBuilder(t, { proxy: { http: `http://${at}` } });
    const { read, look } = await build([
      dockerfile('FROM scratch', `ADD http://${at}/moved /named`, `ADD http://files.example/a%20b /folder/`),
    ]);
    assert.equal(read('named') + read('folder/a b'), 'from afar'.repeat(2));
    assert.equal(look('named'), '600 0:0');
    assert.deepEqual(asked, ['/moved', '/a%20file', 'http://files.example/a%20b']);
    for (const [address, words] of [
      [`http://${at}/missing`, /the server answered 404/],
      [`http://${at}/round`, /redirects in circles or to nowhere/],
      ['http://files.example/home', /redirects to this machine \(localhost:1\): not followed/],
      ['http://files.example/%zz', /no file name/],
    ] as const) {
      await assert.rejects(build([dockerfile('FROM scratch', `ADD ${address} /x`)]), words);
    }
  });

  test('a context at an address: an archive, or a Dockerfile by itself', async (t) => {
    const archive = gzipSync(
      tar(dockerfile('FROM scratch', 'COPY Dockerfile /d'), { name: 'other', data: 'FROM scratch' }),
    );
    const server = createServer(({ url }, response) => {
      if (url === '/archive') response.end(archive);
      else if (url === '/text') response.end('FROM scratch\nCOPY Dockerfile /by-itself\n');
      else response.writeHead(404).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { build } = await openBuilder(t);
    assert.match((await build(parseRemote(`${at}/archive`))).read('d'), /^FROM scratch/);
    const text = await build(parseRemote(`${at}/text`), { dockerfile: 'elsewhere/Dockerfile' });
    assert.match(text.read('by-itself'), /^FROM scratch/);
    await assert.rejects(build(parseRemote(`${at}/gone`)), /failed to GET http:.*the server answered 404/);
    for (const repository of ['git@example.com:a/b', 'https://example.com/a.git#main', 'github.com/a/b']) {
      assert.throws(() => parseRemote(repository), { code: 'not-implemented' });
    }
  });

  test('words for what cannot be', async (t) => {
    const { build } = await openBuilder(t);
    for (const [lines, words] of [
      [['FROM scratch'], /No image was generated/],
      [['FROM scratch', 'COPY f* /x'], /no source files were specified/],
      [['FROM scratch', 'COPY ../x /x'], /forbidden path outside the build context: \.\.\/x/],
      [['FROM scratch', 'COPY --from=3 a /x'], /invalid from flag value 3/],
      [['FROM scratch', 'COPY --chmod=8 Dockerfile /x'], /invalid chmod parameter: '8'/],
      [['FROM scratch', 'COPY --chown=nobody Dockerfile /x'], /unable to find user nobody/],
      [['FROM scratch', 'COPY Dockerfile /x', 'COPY Dockerfile /x/y'], /x/],
      [['FROM scratch', 'ADD http://127.0.0.1:1/x /x'], /ADD failed: failed to GET http:\/\/127\.0\.0\.1:1\/x/],
    ] as const) {
      await assert.rejects(build([dockerfile(...lines)]), words);
    }
    await assert.rejects(build([dockerfile('FROM scratch')], { target: 'x' }), /target stage "x" could not be found/);
  });
});
