import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { findQemu, linuxInstallCommand } from '../../../../../src-main/vm/qemu/programs.ts';

test('a missing QEMU is an error with the install command of the platform', async () => {
  const search = { architecture: 'amd64', env: { PATH: '/nowhere' } } as const;
  for (const [platform, hint] of [
    ['win32', /winget install/],
    ['linux', /Install it with: sudo/],
  ] as const) {
    await assert.rejects(findQemu({ ...search, platform }), (error: { code: string; hint: string }) => {
      assert.equal(error.code, 'qemu-missing');
      assert.match(error.hint, hint);
      return true;
    });
  }
});

test('the version is read; a program that says something else is no QEMU', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-programs-'));
  try {
    const write = async (name: string, says: string): Promise<void> => {
      await writeFile(path.join(folder, name), `#!/bin/sh\necho '${says}'\n`);
      await chmod(path.join(folder, name), 0o755);
    };
    await write('qemu-img', 'qemu-img version 8.1.0');
    await write('qemu-system-aarch64', 'QEMU emulator version 8.1.0 (v8.1.0)');
    const search = { architecture: 'arm64', env: { PATH: folder }, platform: 'linux' } as const;
    assert.equal((await findQemu(search)).version, '8.1.0');
    await write('qemu-system-aarch64', 'hello');
    await assert.rejects(findQemu(search), { code: 'qemu-missing' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('each Linux family gets its own command', () => {
  const command = (release: string): string => linuxInstallCommand(release, 'amd64');
  assert.match(command('ID=debian\n'), /^sudo apt-get install -y qemu-system-x86 qemu-utils$/);
  assert.match(command('NAME=x\nID=rocky\nID_LIKE="rhel centos fedora"\n'), /^sudo dnf install qemu-system-x86-core/);
  assert.match(command('ID=arch\n'), /^sudo pacman -S qemu-system-x86 /);
  assert.match(command('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n'), /^sudo zypper install qemu-x86 /);
  assert.match(command('ID=alpine\n'), /^sudo apk add qemu-system-x86_64 /);
  assert.match(command(''), /^sudo apt-get/);
});
