import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecordingKernel, type RecordedMessage } from '../../../../../vm/agent/kernel/recording-kernel.ts';
import { kernelSuite } from '../../../../suites/kernel.ts';

const attribute = (type: number, value: Buffer): Buffer => {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  value.copy(bytes, 4);
  return bytes;
};

/** A kernel that has just a loopback. */
function loopbackOnly({ type, body }: RecordedMessage) {
  const head = Buffer.alloc(16);
  head.writeInt32LE(1, 4);
  const lo = [{ type: 16, body: Buffer.concat([head, attribute(3, Buffer.from('lo\0'))]) }];
  if (body.includes('missing0')) return 19;
  return type === 18 ? lo : undefined;
}

kernelSuite('recording kernel', () => {
  const kernel = createRecordingKernel();
  kernel.tell('mount', { errno: 2 });
  kernel.answerNetlink(loopbackOnly);
  return { kernel, missingFolder: '/nowhere' };
});

test('it remembers what was asked', async () => {
  const kernel = createRecordingKernel();
  await kernel.setProjectLimit('/data', 7, 1024);
  kernel.tell('projectUsage', { result: 512 });
  assert.equal(await kernel.projectUsage('/data', 7), 512);
  assert.deepEqual(kernel.calls, [
    { name: 'setProjectLimit', args: ['/data', 7, 1024] },
    { name: 'projectUsage', args: ['/data', 7] },
  ]);
});
