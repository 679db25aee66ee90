// @ts-check
/** The system packages that the build, the VM and the tests need, and how to get them. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { run, step, StepError } from './steps.mjs';

/** What each purpose needs, by Debian package name, with why. */
export const debianPackages = {
  /** To run the VM. */
  run: ['qemu-system-x86', 'qemu-utils'],
  /** To build the guest image and the native programs. */
  build: [
    'gcc',
    'g++',
    'make',
    'libc6-dev',
    'linux-libc-dev',
    'erofs-utils',
    'cpio',
    'zstd',
    'kmod',
    'libseccomp-dev',
    'libarchive-dev',
    'libzstd-dev',
    'zlib1g-dev',
    'libssl-dev',
    'xz-utils',
    'openssh-client',
  ],
  /** To run the tests: a registry, image makers, a browser. */
  test: [
    'docker-registry',
    'skopeo',
    'umoci',
    'docker-compose',
    'chromium',
    'xfsprogs',
    'busybox-static',
    'iproute2',
    'nftables',
  ],
};

/**
 * Makes sure the packages for these purposes are there: installs them on Debian and Ubuntu as root, elsewhere says how.
 * @param {readonly (keyof typeof debianPackages)[]} purposes
 * @returns {Promise<void>}
 */
export async function ensureSystemPackages(purposes) {
  const wanted = [...new Set(purposes.flatMap((purpose) => debianPackages[purpose]))];
  if (process.platform !== 'linux') return;
  if (!isDebianLike()) {
    process.stderr.write(`• Not Debian or Ubuntu: make sure you have what these packages hold: ${wanted.join(' ')}\n`);
    return;
  }
  const missing = wanted.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) {
    throw new StepError(`missing system packages: ${missing.join(' ')}`, `run: sudo ${command}`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await step(`Installing system packages: ${missing.join(' ')}`, async () => {
    await run('apt-get', ['update', '-q'], {
      quiet: true,
      env,
      hint: 'check the package sources in /etc/apt and the network',
    });
    await run('apt-get', ['install', '-y', '--no-install-recommends', ...missing], {
      quiet: true,
      env,
      hint: `run by hand: ${command}`,
    });
  });
}

function isDebianLike() {
  return (
    existsSync('/etc/os-release') && /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync('/etc/os-release', 'utf8'))
  );
}

/** @param {string} name */
function isInstalled(name) {
  const query = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { encoding: 'utf8' });
  return query.status === 0 && query.stdout.includes('install ok installed');
}
