import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  familiarName,
  familiarString,
  parseReference,
  registryHost,
  withDefaultTag,
} from '../../../../../vm/agent/registry/reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

test('references are normalised as Docker does', () => {
  const cases: readonly (readonly [string, string, string, string | undefined, string | undefined, string])[] = [
    ['busybox', 'docker.io', 'library/busybox', undefined, undefined, 'busybox'],
    ['busybox:1.36', 'docker.io', 'library/busybox', '1.36', undefined, 'busybox:1.36'],
    ['library/busybox', 'docker.io', 'library/busybox', undefined, undefined, 'busybox'],
    ['docker.io/busybox', 'docker.io', 'library/busybox', undefined, undefined, 'busybox'],
    ['index.docker.io/library/busybox', 'docker.io', 'library/busybox', undefined, undefined, 'busybox'],
    ['me/app', 'docker.io', 'me/app', undefined, undefined, 'me/app'],
    ['library/a/b', 'docker.io', 'library/a/b', undefined, undefined, 'library/a/b'],
    ['localhost/x', 'localhost', 'x', undefined, undefined, 'localhost/x'],
    ['localhost:5000/x/y:t', 'localhost:5000', 'x/y', 't', undefined, 'localhost:5000/x/y:t'],
    ['example.com/x', 'example.com', 'x', undefined, undefined, 'example.com/x'],
    ['Host/x', 'Host', 'x', undefined, undefined, 'Host/x'],
    ['[::1]:5000/x', '[::1]:5000', 'x', undefined, undefined, '[::1]:5000/x'],
    [`x:t@${digest}`, 'docker.io', 'library/x', 't', digest, `x:t@${digest}`],
    ['a__b/c-d.e', 'docker.io', 'a__b/c-d.e', undefined, undefined, 'a__b/c-d.e'],
  ];
  for (const [text, domain, path, tag, wantedDigest, familiar] of cases) {
    const reference = parseReference(text);
    assert.deepEqual(reference, { domain, path, tag, digest: wantedDigest }, text);
    assert.equal(familiarString(reference), familiar);
  }
  assert.equal(registryHost(parseReference('x')), 'registry-1.docker.io');
  assert.equal(registryHost(parseReference('localhost:5000/x')), 'localhost:5000');
  assert.equal(familiarString(withDefaultTag(parseReference('x'))), 'x:latest');
  assert.equal(familiarName(parseReference('x:1')), 'x');
});

test("bad references are refused in Docker's words", () => {
  for (const text of [
    '',
    ':',
    'x:',
    'x@',
    'x@sha256:short',
    '/x',
    'x//y',
    'x:y:z',
    '-x',
    'x_',
    '../x',
    'x y',
    'https://x/y',
    'x:t/é',
    `x:${'t'.repeat(129)}`,
  ]) {
    assert.throws(() => parseReference(text), { code: 'invalid-parameter', message: 'invalid reference format' }, text);
  }
  assert.throws(() => parseReference('Busybox'), {
    message: 'invalid reference format: repository name (library/Busybox) must be lowercase',
  });
  assert.throws(() => parseReference('a'.repeat(300)), /must not be more than 255 characters/);
  assert.throws(() => parseReference('b'.repeat(64)), /cannot specify 64-byte hexadecimal strings/);
});
