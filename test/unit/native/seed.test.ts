/** The seed disk's reader in init (C), compiled with a small main and given good and hostile archives. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type TarEntry, writeTar } from '../../../vm/image/tar.ts';

const root = path.resolve(import.meta.dirname, '..', '..', '..');
const work = mkdtempSync(path.join(tmpdir(), 'wherry-seed-'));
const harness = path.join(work, 'harness');

describe('seed disk', () => {
  before(() => {
    const sources = ['test/unit/native/seed-harness.c', 'native/init/seed.c', 'native/init/base.c'];
    const flags = ['-std=gnu17', '-D_GNU_SOURCE', '-O1', '-g', '-fsanitize=address,undefined', '-Wall', '-Werror'];
    execFileSync('gcc', [...flags, '-o', harness, ...sources], { cwd: root });
  });
  after(() => rmSync(work, { recursive: true, force: true }));

  let count = 0;
  /** Unpacks these bytes; `folder` is where they went, a folder inside an otherwise empty one. */
  function unpack(archive: Buffer): { code: number | null; output: string; folder: string } {
    count += 1;
    const parent = path.join(work, String(count));
    const folder = path.join(parent, 'seed');
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(work, 'disk'), archive);
    const result = spawnSync(harness, [path.join(work, 'disk'), folder], { encoding: 'utf8' });
    assert.equal(result.stderr, '');
    assert.deepEqual(readdirSync(parent), ['seed'], 'nothing beside the seed folder');
    return { code: result.status, output: result.stdout.trim(), folder };
  }

  const file = (name: string, content = 'x'): TarEntry => ({ kind: 'file', path: name, content });

  test('files and folders are unpacked, readable by root alone', () => {
    const certificate = 'c'.repeat(1500);
    const { code, folder } = unpack(writeTar([file('ca/one.pem', certificate), file('authorized_keys', 'key\n')], 0));
    assert.equal(code, 0);
    assert.equal(readFileSync(path.join(folder, 'ca/one.pem'), 'utf8'), certificate);
    assert.equal(readFileSync(path.join(folder, 'authorized_keys'), 'utf8'), 'key\n');
    assert.equal(statSync(path.join(folder, 'authorized_keys')).mode & 0o777, 0o600);
    assert.equal(statSync(path.join(folder, 'ca')).mode & 0o777, 0o700);
  });

  test('an archive that GNU tar wrote is read as well', () => {
    const source = path.join(work, 'source');
    mkdirSync(path.join(source, 'ca'), { recursive: true });
    writeFileSync(path.join(source, 'ca', 'two.pem'), 'two');
    for (const format of ['ustar', 'pax', 'gnu']) {
      const archive = execFileSync('tar', [`--format=${format}`, '-C', source, '-cf', '-', 'ca']);
      const { code, output, folder } = unpack(archive);
      assert.equal(code, 0, `${format}: ${output}`);
      assert.equal(readFileSync(path.join(folder, 'ca/two.pem'), 'utf8'), 'two');
    }
  });

  test('values are unquoted; unknown keys and lines without a value are passed over', () => {
    const env = [
      "WHERRY_HOSTNAME='it'\\''s'",
      '# comment',
      "OTHER='x'",
      "WHERRY_CLOCK_MS='17000'",
      'WHERRY_NET_MODE=dhcp',
      "WHERRY_NET_DNS='10.0.2.3 1.1.1.1'",
    ].join('\n');
    const { code, output } = unpack(writeTar([file('seed.env', env)], 0));
    assert.equal(code, 0);
    assert.equal(output, "it's|17000|dhcp|||10.0.2.3 1.1.1.1");
  });

  test('a value longer than its field is cut, not written past it', () => {
    const { code, output } = unpack(writeTar([file('seed.env', `WHERRY_HOSTNAME='${'h'.repeat(400)}'\n`)], 0));
    assert.equal(code, 0);
    assert.equal(output.split('|')[0], 'h'.repeat(64));
  });

  for (const name of ['../out', '/tmp/wherry-seed-out', 'a/../../out', 'a/..']) {
    test(`an entry named ${name} is refused`, () => {
      const { code, output } = unpack(writeTar([file(name)], 0));
      assert.equal(code, 1);
      assert.match(output, /leaves the seed folder/);
      assert.ok(!existsSync('/tmp/wherry-seed-out'));
    });
  }

  test('a symbolic link is refused, so that nothing is written through it', () => {
    const entries: TarEntry[] = [{ kind: 'link', path: 'ca', target: '/tmp' }, file('ca/wherry-seed-out')];
    const { code, output } = unpack(writeTar(entries, 0));
    assert.equal(code, 1);
    assert.match(output, /is of type '2'/);
  });

  test('a broken checksum, a cut archive, an absurd size and an empty disk are refused with the reason', () => {
    const good = writeTar([file('a', 'x'.repeat(600))], 0);
    const broken = Buffer.from(good);
    broken[0] = 'b'.charCodeAt(0);
    assert.match(unpack(broken).output, /no valid tar archive/);
    assert.match(unpack(good.subarray(0, 1000)).output, /read the seed disk/);
    const huge = Buffer.from(good);
    huge.write('77777777777\0', 124);
    huge.write(' '.repeat(8), 148);
    const sum = huge.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    huge.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    assert.match(unpack(huge).output, /larger than/);
    assert.equal(unpack(Buffer.alloc(1024, 0xff)).code, 1);
  });
});
