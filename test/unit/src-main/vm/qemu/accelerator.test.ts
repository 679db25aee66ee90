import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { chooseAccelerator, probeWithKernel, rememberChoice } from '../../../../../src-main/vm/qemu/accelerator.ts';

test('the first that works is taken, without a warning', async () => {
  const tried: string[] = [];
  const choice = await chooseAccelerator(['kvm', 'tcg'], (accelerator) => {
    tried.push(accelerator);
    return Promise.resolve();
  });
  assert.deepEqual(choice, { accelerator: 'kvm', warnings: [] });
  assert.deepEqual(tried, ['kvm']);
});

test('one that is present but unusable is passed over, and the reason is kept', async () => {
  const choice = await chooseAccelerator(['kvm', 'tcg'], () => Promise.reject(new Error('failed to set MSR 0x10a')));
  assert.equal(choice.accelerator, 'tcg');
  assert.match(
    choice.warnings[0]?.message ?? '',
    /^The VM is emulated, which is slow\. .*\(kvm\).*failed to set MSR 0x10a/,
  );
  assert.match(choice.warnings[0]?.hint ?? '', /usermod -aG kvm/);
});

test('a wish that cannot be met is an error naming it', async () => {
  const refused = chooseAccelerator(['hvf'], () => Promise.reject(new Error('no such accelerator')));
  await assert.rejects(refused, { code: 'unsupported', message: /hvf.*no such accelerator/ });
});

test('a cancelled probe is no verdict', async () => {
  const controller = new AbortController();
  const probing = chooseAccelerator(
    ['kvm', 'tcg'],
    () => {
      controller.abort(new Error('stop'));
      return Promise.reject(new Error('killed'));
    },
    controller.signal,
  );
  await assert.rejects(probing, { message: 'stop' });
});

for (const [what, script, expected] of [
  ['a kernel that speaks', "echo 'Calibrating delay loop... done'; exec sleep 30", undefined],
  ['a QEMU that aborts', "echo 'qemu-system-x86_64: failed to set MSR' >&2; kill -ABRT $$", /failed to set MSR/],
  ['a QEMU that only warns, then ends', "echo 'qemu-system-x86_64: warning: slow' >&2; exit 3", /ended with code 3/],
] as const) {
  test(`the probe tells ${what}`, async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'wherry-probe-'));
    try {
      const system = path.join(folder, 'qemu-system-x86_64');
      await writeFile(system, `#!/bin/sh\n${script}\n`);
      await chmod(system, 0o755);
      const attempt = probeWithKernel({ system, architecture: 'amd64', kernel: '/k' });
      if (expected === undefined) await attempt('kvm');
      else await assert.rejects(attempt('kvm'), { message: expected });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

test('the choice is remembered until what it depends on changes; a damaged memory is made anew', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-probe-'));
  try {
    const file = path.join(folder, 'accelerator.json');
    let asked = 0;
    const choose = () => {
      asked++;
      return Promise.resolve({ accelerator: 'tcg', warnings: [{ message: 'slow', hint: 'fix' }] } as const);
    };
    const first = await rememberChoice(file, 'one', choose);
    const again = await rememberChoice(file, 'one', choose);
    assert.equal(asked, 1);
    assert.deepEqual(again.warnings, first.warnings);
    await rememberChoice(file, 'two', choose);
    assert.equal(asked, 2);
    await writeFile(file, '{"key":"two","acceler');
    await rememberChoice(file, 'two', choose);
    assert.equal(asked, 3);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
