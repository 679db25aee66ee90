import assert from 'node:assert/strict';
import { test } from 'node:test';
import ssh2 from 'ssh2';
import { type Ed25519Der, makeEd25519Der, writeOpensshKeyPair } from '../../../../src-main/vm/openssh-key.ts';

/** A key whose public half begins with this byte: one in 256 does. */
function keyBeginningWith(first: number): Ed25519Der {
  for (;;) {
    const key = makeEd25519Der();
    if (key.publicKey.at(-32) === first) return key;
  }
}

for (const first of [0x00, 0x7f, 0x80, 0xff]) {
  test(`a pair whose public key begins with ${first} is read back, and signs for its public half`, () => {
    const pair = writeOpensshKeyPair(keyBeginningWith(first), 'wherry-host');
    const secret = ssh2.utils.parseKey(pair.private);
    const shown = ssh2.utils.parseKey(pair.public);
    assert.ok(!(secret instanceof Error));
    assert.ok(!(shown instanceof Error));
    assert.deepEqual(secret.getPublicSSH(), shown.getPublicSSH());
    assert.equal(secret.comment, 'wherry-host');
    const signature = secret.sign('ahoy');
    assert.ok(!(signature instanceof Error));
    assert.equal(shown.verify('ahoy', signature), true);
  });
}

test('ten thousand pairs are made without waiting for ever, as exporting each generated key would', () => {
  for (let made = 0; made < 10_000; made += 1) assert.equal(makeEd25519Der().privateKey.length, 48);
});
