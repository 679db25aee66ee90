import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressBytes, addressText } from '../../../../../../vm/agent/kernel/netlink/addresses.ts';

test('addresses to bytes and back, in their canonical form', () => {
  for (const [text, hex, canonical] of [
    ['10.0.2.15', '0a00020f', '10.0.2.15'],
    ['::', '0'.repeat(32), '::'],
    ['::1', `${'0'.repeat(31)}1`, '::1'],
    ['FD00:0:0:0:0:0:0:2', `fd00${'0'.repeat(27)}2`, 'fd00::2'],
    ['fd00::', `fd00${'0'.repeat(28)}`, 'fd00::'],
    ['2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '20010000000000010000000000000001', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201', '::ffff:c000:201'],
  ] as const) {
    assert.equal(addressBytes(text).toString('hex'), hex, text);
    assert.equal(addressText(Buffer.from(hex, 'hex')), canonical, text);
  }
});

test('what is no address of anything is refused', () => {
  for (const text of ['', 'x', '1.2.3', '300.0.0.1', '::1::', 'fe80::1%eth0', 'fd00::/64', '[::1]']) {
    assert.throws(() => addressBytes(text), TypeError, text);
  }
});
