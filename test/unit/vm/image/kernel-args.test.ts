import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernelArgs } from '../../../../vm/image/kernel-args.ts';

test('by default the guest neither runs a payload nor takes programs from one', () => {
  for (const arch of ['amd64', 'arm64'] as const) assert.doesNotMatch(kernelArgs({ arch }), /wherry\./);
});

test('a payload and development programs are asked for explicitly', () => {
  assert.match(kernelArgs({ arch: 'amd64', payload: 'run' }), / wherry\.payload=run$/);
  assert.match(kernelArgs({ arch: 'amd64', dev: true, extra: ['debug'] }), / wherry\.dev=1 debug$/);
});

test('the console is the serial port of the architecture', () => {
  assert.match(kernelArgs({ arch: 'amd64' }), /^console=ttyS0 /);
  assert.match(kernelArgs({ arch: 'arm64' }), /^console=ttyAMA0 /);
  assert.doesNotMatch(kernelArgs({ arch: 'arm64' }), /tsc=|i8042/);
});
