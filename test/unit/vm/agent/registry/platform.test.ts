import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPlatform, parsePlatform, selectPlatform } from '../../../../../vm/agent/registry/platform.ts';

const host = { os: 'linux', architecture: 'amd64' };
const parse = (text: string): string => formatPlatform(parsePlatform(text, host));

test('platforms are read as people write them', () => {
  assert.equal(parse('linux/arm64'), 'linux/arm64');
  assert.equal(parse('aarch64'), 'linux/arm64');
  assert.equal(parse('linux/x86_64'), 'linux/amd64');
  assert.equal(parse('linux/arm/v6'), 'linux/arm/v6');
  assert.equal(parse('armhf'), 'linux/arm/v7');
  assert.equal(parse('windows'), 'windows/amd64');
  for (const text of ['', 'a/b/c/d', 'linux//v7', 'lin ux']) assert.throws(() => parse(text), /invalid platform/);
});

test('the nearest variant that runs is chosen', () => {
  const all = ['linux/amd64', 'linux/arm/v5', 'linux/arm/v7', 'linux/arm64/v8', 'unknown/unknown'].map((text) =>
    parsePlatform(text, host),
  );
  const select = (wanted: string): string | undefined => {
    const chosen = all[selectPlatform(all, parsePlatform(wanted, host))];
    return chosen === undefined ? undefined : formatPlatform(chosen);
  };
  assert.equal(select('linux/amd64'), 'linux/amd64');
  assert.equal(select('linux/arm64'), 'linux/arm64/v8');
  assert.equal(select('linux/arm64/v8'), 'linux/arm64/v8');
  assert.equal(select('linux/arm/v7'), 'linux/arm/v7');
  assert.equal(select('linux/arm/v6'), 'linux/arm/v5');
  assert.equal(select('linux/arm'), 'linux/arm/v7');
  assert.equal(select('linux/s390x'), undefined);
  assert.equal(selectPlatform([undefined, undefined], host), -1);
  const levels = ['linux/amd64/v3', 'linux/amd64'].map((text) => parsePlatform(text, host));
  assert.equal(selectPlatform(levels, host), 1);
});
