import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  capabilityMask,
  capabilityNames,
  defaultCapabilities,
  resolveCapabilities,
} from '../../../../../vm/agent/runtime/capabilities.ts';

const resolve = (add: string[], drop: string[], privileged = false) => resolveCapabilities({ add, drop, privileged });

test('the default set is Docker’s', () => {
  assert.equal(capabilityMask(resolve([], [])), 0xa80425fbn);
});

test('names in any case, with or without CAP_', () => {
  assert.ok(resolve(['net_admin'], []).includes('CAP_NET_ADMIN'));
  assert.ok(!resolve([], ['cap_chown']).includes('CAP_CHOWN'));
  assert.throws(() => resolve(['nothing'], []), { message: 'invalid CapAdd: unknown capability: "CAP_NOTHING"' });
});

test('ALL added less some, ALL dropped but some, privileged', () => {
  assert.deepEqual(
    resolve(['ALL'], ['CAP_SYS_ADMIN']),
    capabilityNames.filter((name) => name !== 'CAP_SYS_ADMIN'),
  );
  assert.deepEqual(resolve(['CHOWN'], ['all']), ['CAP_CHOWN']);
  assert.deepEqual(resolve([], ['ALL'], true), capabilityNames);
});

test('what is dropped and added is there', () => {
  assert.deepEqual(new Set(resolve(['CHOWN'], ['CHOWN'])), new Set(defaultCapabilities));
});
