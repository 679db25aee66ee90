import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRecord, encodeRecord } from '../../../../../vm/agent/runtime/records.ts';

test('what was encoded is decoded, one record at a time, however it is cut', () => {
  const first = encodeRecord(300, [1, -1, 2 ** 40], ['', 'é\n', 'x'.repeat(1000)]);
  const both = Buffer.concat([first, encodeRecord(7)]);
  for (let size = 0; size < first.length; size++) assert.equal(decodeRecord(both.subarray(0, size)), undefined);
  const decoded = decodeRecord(both);
  assert.deepEqual(decoded, {
    record: { tag: 300, numbers: [1, -1, 2 ** 40], strings: ['', 'é\n', 'x'.repeat(1000)] },
    bytes: first.length,
  });
  assert.equal(decodeRecord(both.subarray(first.length))?.record.tag, 7);
});

test('the layout is the one of native/common/records.h', () => {
  assert.equal(
    encodeRecord(0x0102, [3], ['ab'], Buffer.from([9])).toString('hex'),
    '14000000' + '0201' + '0100' + '01000000' + '0300000000000000' + '616200' + '09',
  );
});

test('nonsense is refused', () => {
  const record = encodeRecord(1, [1], ['a']);
  const changed = (at: number, value: number) => {
    const copy = Buffer.from(record);
    copy.writeUInt8(value, at);
    return copy;
  };
  assert.throws(() => decodeRecord(changed(0, 1)), /a record of 1 bytes/);
  assert.throws(() => decodeRecord(changed(3, 0xff)), /a record of/);
  assert.throws(() => decodeRecord(changed(6, 9)), /shorter than its numbers/);
  assert.throws(() => decodeRecord(changed(8, 9)), /shorter than its strings/);
  assert.throws(() => encodeRecord(1, [], ['a\0b']), /NUL/);
});
