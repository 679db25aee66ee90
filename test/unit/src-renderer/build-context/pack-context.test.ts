/** The archive of a build's folder, read back by another's tar. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { extract } from 'tar-stream';
import { contextFiles, packContext } from '../../../../src-renderer/build-context/pack-context.ts';
import { tarHeader } from '../../../../src-renderer/build-context/tar-header.ts';

const lastModified = 1_700_000_000_000;

function file(path: string, text: string) {
  return { path, file: new File([text], path.split('/').at(-1) ?? '', { lastModified }) };
}

async function unpack(archive: Blob): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const reader = extract();
  Readable.from([Buffer.from(await archive.arrayBuffer())]).pipe(reader);
  for await (const entry of reader) {
    assert.equal(entry.header.mode, 0o755);
    assert.equal(entry.header.mtime.getTime(), lastModified);
    found.set(entry.header.name, (await buffer(entry)).toString());
  }
  return found;
}

test('every name and every size comes back as it went in', async () => {
  const names = [
    'a',
    'b/' + 'long/'.repeat(40) + 'x'.repeat(120),
    'ümlaut/日本語 \u202e.txt',
    '<img src=x>',
    'x'.repeat(100),
    'y'.repeat(101),
  ];
  const sizes = [0, 1, 511, 512, 513, 10_000];
  const files = names.map((name, index) => file(name, 'z'.repeat(sizes[index] ?? 0)));
  const { archive, files: count, sizeBytes } = await packContext(files, 'Dockerfile');
  const found = await unpack(archive);
  assert.deepEqual([...found.keys()], names);
  assert.deepEqual(
    [...found.values()].map(({ length }) => length),
    sizes,
  );
  assert.deepEqual([count, sizeBytes], [6, sizes.reduce((sum, size) => sum + size, 0)]);
  assert.equal(archive.size % 512, 0);
});

test('a file of more than eight gigabytes tells its size in a record of its own', () => {
  const parts = tarHeader({ path: 'big', sizeBytes: 9 * 1024 ** 3, modifiedAtMs: 0 });
  assert.equal(new TextDecoder().decode(parts[1]), '19 size=9663676416\n');
});

test('what .dockerignore names stays, but for the Dockerfile and itself', async () => {
  const files = [
    file('.dockerignore', '# nothing of these\nnode_modules\n*.log\n!keep.log\nDockerfile\n.dockerignore\n'),
    file('Dockerfile', 'FROM scratch'),
    file('main.c', ''),
    file('node_modules/a/index.js', ''),
    file('a.log', ''),
    file('keep.log', ''),
  ];
  const { archive, leftOut } = await packContext(files, 'Dockerfile');
  assert.deepEqual([...(await unpack(archive)).keys()], ['.dockerignore', 'Dockerfile', 'main.c', 'keep.log']);
  assert.equal(leftOut, 2);
});

test('a Dockerfile’s own ignore file goes before the folder’s', async () => {
  const files = [
    file('.dockerignore', 'main.c'),
    file('dev/Dockerfile.dockerignore', 'other.c'),
    file('dev/Dockerfile', ''),
    file('main.c', ''),
    file('other.c', ''),
  ];
  const { archive } = await packContext(files, 'dev/Dockerfile');
  assert.equal((await unpack(archive)).has('other.c'), false);
  assert.equal((await unpack(archive)).has('main.c'), true);
});

test('the folder’s own name is not part of the paths', () => {
  const chosen = ['shop/Dockerfile', 'shop/src/a.c'].map((path) =>
    Object.defineProperty(new File([], 'x'), 'webkitRelativePath', { value: path }),
  );
  const { folder, files } = contextFiles(chosen);
  assert.equal(folder, 'shop');
  assert.deepEqual(
    files.map(({ path }) => path),
    ['Dockerfile', 'src/a.c'],
  );
});
