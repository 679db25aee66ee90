/** The bare kernel with an init that powers off at once, and Wherry up to a ready engine: booted, and woken from its sleep. */
import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { writeCpio } from '../../vm/image/cpio.ts';
import { runMachine } from '../../vm/image/qemu.ts';
import type { Arch } from '../../vm/image/recipe.ts';
import { WherryHome } from '../helpers/wherry-cli.ts';

const powerOff = `
#include <sys/reboot.h>
int main(void) { return reboot(RB_POWER_OFF); }
`;

/** Milliseconds from QEMU's start to its end, with nothing in between but the kernel. */
export async function bareKernelBoot(arch: Arch, imageFolder: string): Promise<number> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'wherry-bench-'));
  try {
    await makeBareImage(folder, imageFolder);
    const startedAt = performance.now();
    await runMachine({
      arch,
      imageFolder: folder,
      args: {},
      seed: [],
      memoryMib: 1024,
      cpus: 2,
      dataDiskBytes: 1024 ** 3,
      onConsole: () => undefined,
      signal: AbortSignal.timeout(60_000),
    });
    return performance.now() - startedAt;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeBareImage(folder: string, imageFolder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'init.c'), powerOff);
  const init = path.join(folder, 'init');
  const compiled = spawnSync('gcc', ['-static', '-Os', '-o', init, `${init}.c`], { encoding: 'utf8' });
  if (compiled.status !== 0) throw new Error(`gcc: ${compiled.stderr}`);
  const cpio = writeCpio([{ kind: 'file', path: 'init', mode: 0o755, content: await readFile(init) }]);
  await writeFile(path.join(folder, 'initramfs.img'), cpio);
  for (const name of ['vmlinuz', 'system.erofs']) await copyFile(path.join(imageFolder, name), path.join(folder, name));
}

/** Milliseconds from the decision to a ready engine, as the host core measured it; a new home each time. */
export async function bootAndResume(): Promise<{ readonly boot: number; readonly resume: number }> {
  await using home = await WherryHome.create();
  await succeed(home, 'up');
  const boot = await tookMs(home);
  await succeed(home, 'sleep');
  await succeed(home, 'up');
  return { boot, resume: await tookMs(home) };
}

async function succeed(home: WherryHome, command: string): Promise<void> {
  const ended = await home.wherry([command]);
  if (ended.code !== 0) throw new Error(`wherry ${command}: ${ended.stderr}`);
}

async function tookMs(home: WherryHome): Promise<number> {
  const status = JSON.parse((await home.wherry(['status', '--json'])).stdout) as {
    vm: { state: { kind: string; bootTookMs?: number } };
  };
  const took = status.vm.state.bootTookMs;
  if (took === undefined) throw new Error(`wherry status: the VM is ${status.vm.state.kind}`);
  return took;
}
