import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recogniseDisk } from '../../../../../vm/agent/disk/signature.ts';

const zeroes = Buffer.alloc(128 * 1024);

function xfs(label: string, inProgress = 0): Buffer {
  const head = Buffer.from(zeroes);
  head.write('XFSB', 0, 'latin1');
  head.writeUInt32BE(4096, 4);
  head.writeBigUInt64BE(1000n, 8);
  head.write(label, 108, 'latin1');
  head[126] = inProgress;
  return head;
}

test('only a disk of zeroes is empty', () => {
  assert.deepEqual(recogniseDisk(zeroes, zeroes), { kind: 'empty' });
  for (const offset of [0, 511, 65_600, zeroes.length - 1]) {
    const touched = Buffer.from(zeroes);
    touched[offset] = 1;
    assert.equal(recogniseDisk(touched, zeroes).kind, 'unknown', `head ${offset}`);
    assert.equal(recogniseDisk(zeroes, touched).kind, 'unknown', `tail ${offset}`);
  }
});

test('our filesystem by its label; another one is never ours', () => {
  assert.deepEqual(recogniseDisk(xfs('wherry-data'), zeroes), { kind: 'ours', filesystemBytes: 4_096_000 });
  assert.deepEqual(recogniseDisk(xfs('wherry-data', 1), zeroes), { kind: 'half-formatted' });
  assert.deepEqual(recogniseDisk(xfs('photos', 1), zeroes), {
    kind: 'unknown',
    description: 'an XFS filesystem labelled "photos"',
  });
});

test('what is there instead is named', () => {
  const ext4 = Buffer.from(zeroes);
  ext4.writeUInt16LE(0xef53, 0x438);
  assert.deepEqual(recogniseDisk(ext4, zeroes), { kind: 'unknown', description: 'an ext2/3/4 filesystem' });
});
