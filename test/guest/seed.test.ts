/** What the host put on the seed disk has arrived in the guest, closed to everyone but root. */
import assert from 'node:assert/strict';
import { lstatSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { guestPaths, type Seed } from '../../vm/contract/wherry-api.ts';

const seed = JSON.parse(readFileSync(`${guestPaths.seed}/seed.json`, 'utf8')) as Seed;

test('the seed names this VM, and the guest took its name and address', () => {
  assert.match(seed.instanceId, /^[0-9a-f-]{36}$/);
  assert.equal(hostname(), seed.hostname);
  assert.equal(seed.network.mode, 'static');
  const routes = readFileSync('/proc/net/route', 'utf8');
  // 10.0.2.2, as the kernel prints it: bytes in reverse.
  assert.match(routes, /^\w+\s+00000000\s+0202000A/m);
});

test('the keys on the seed are for root alone', () => {
  for (const name of ['ssh_host_ed25519_key', 'authorized_keys', 'seed.json']) {
    const { mode, uid } = lstatSync(`${guestPaths.seed}/${name}`);
    assert.equal(mode & 0o077, 0, name);
    assert.equal(uid, 0, name);
  }
});

test('the clock was set from the seed', () => {
  assert.ok(Date.now() >= seed.clockMs);
});
