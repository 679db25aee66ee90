import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import ssh2 from 'ssh2';
import { writeOpensshKeyPair } from '../../../../src-main/vm/openssh-key.ts';

/** A key whose public half begins with this byte: one in 256 does. */
function keyBeginningWith(first: number): KeyObject {
  for (;;) {
    const { privateKey } = generateKeyPairSync('ed25519');
    if (Buffer.from(privateKey.export({ format: 'jwk' }).x ?? '', 'base64url')[0] === first) return privateKey;
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
