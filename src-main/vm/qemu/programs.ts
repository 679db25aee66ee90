/** Finds QEMU's programs, and says how to install them when they are missing. */
import { execFile } from 'node:child_process';
import { access, constants, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '../../contract/errors.ts';

export interface QemuPrograms {
  readonly system: string;
  readonly img: string;
  /** `7.2.22` */
  readonly version: string;
}

export interface ProgramSearch {
  readonly architecture: 'amd64' | 'arm64';
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
}

/** @throws AppError `qemu-missing`, with the install command for this platform as hint. */
export async function findQemu(search: ProgramSearch, signal?: AbortSignal): Promise<QemuPrograms> {
  const suffix = search.platform === 'win32' ? '.exe' : '';
  const systemName = `qemu-system-${search.architecture === 'amd64' ? 'x86_64' : 'aarch64'}${suffix}`;
  const [system, img] = await Promise.all([findProgram(systemName, search), findProgram(`qemu-img${suffix}`, search)]);
  if (system === undefined || img === undefined) {
    const missing = system === undefined ? systemName : 'qemu-img';
    throw new AppError('qemu-missing', `start the VM: ${missing} is not installed`, {
      hint: await installHint(search),
    });
  }
  return { system, img, version: await readVersion(system, signal) };
}

async function findProgram(name: string, search: ProgramSearch): Promise<string | undefined> {
  const separator = search.platform === 'win32' ? ';' : ':';
  // An app started from a desktop often has a PATH without Homebrew or the QEMU installer's folder.
  const usual =
    search.platform === 'darwin'
      ? ['/opt/homebrew/bin', '/usr/local/bin', '/opt/local/bin']
      : search.platform === 'win32'
        ? [path.win32.join(search.env['ProgramFiles'] ?? 'C:\\Program Files', 'qemu')]
        : [];
  for (const folder of [...(search.env['PATH'] ?? '').split(separator), ...usual]) {
    if (folder === '') continue;
    const candidate = path.join(folder, name);
    const found = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return candidate;
  }
  return undefined;
}

async function readVersion(program: string, signal?: AbortSignal): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'], {
      timeout: 20_000,
      signal,
      windowsHide: true,
    });
    const version = /version (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    if (version === undefined) throw new Error(`unexpected answer: ${stdout.slice(0, 80)}`);
    return version;
  } catch (error) {
    signal?.throwIfAborted();
    throw new AppError('qemu-missing', `run ${program} --version: ${(error as Error).message.split('\n')[0] ?? ''}`, {
      hint: 'Reinstall QEMU.',
      cause: error,
    });
  }
}

async function installHint(search: ProgramSearch): Promise<string> {
  switch (search.platform) {
    case 'darwin':
      return 'Install it with: brew install qemu';
    case 'win32':
      return 'Install it with: winget install --id SoftwareFreedomConservancy.QEMU';
    default: {
      const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
      return `Install it with: ${linuxInstallCommand(release, search.architecture)}`;
    }
  }
}

/** By the ID and ID_LIKE of os-release(5). */
export function linuxInstallCommand(release: string, architecture: 'amd64' | 'arm64'): string {
  const ids = /^ID(?:_LIKE)?=.*$/gm[Symbol.match](release)?.join(' ') ?? '';
  if (/fedora|rhel|centos/.test(ids)) {
    return `sudo dnf install ${architecture === 'amd64' ? 'qemu-system-x86-core' : 'qemu-system-aarch64-core'} qemu-img`;
  }
  if (ids.includes('arch'))
    return `sudo pacman -S qemu-system-${architecture === 'amd64' ? 'x86' : 'aarch64'} qemu-img`;
  if (ids.includes('suse'))
    return `sudo zypper install ${architecture === 'amd64' ? 'qemu-x86' : 'qemu-arm'} qemu-tools`;
  if (ids.includes('alpine')) {
    return `sudo apk add qemu-system-${architecture === 'amd64' ? 'x86_64' : 'aarch64'} qemu-img`;
  }
  return `sudo apt-get install -y ${architecture === 'amd64' ? 'qemu-system-x86' : 'qemu-system-arm'} qemu-utils`;
}
