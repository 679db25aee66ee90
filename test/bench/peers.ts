/** Builds the file tree of the peers: Debian's docker.io, containerd, runc and crun, for a chroot in the guest. */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { choosePackages, openPackageSource, unpackPackages } from '../../vm/image/debian.ts';
import { archRecipes, type Arch } from '../../vm/image/recipe.ts';

/** The engines and every library they load; the chroot holds nothing else. */
const packages = [
  'docker.io',
  'containerd',
  'runc',
  'crun',
  'iptables',
  'busybox-static',
  'kmod',
  'libc6',
  'libcap2',
  'libdevmapper1.02.1',
  'libsystemd0',
  'libudev1',
  'libgcrypt20',
  'libgpg-error0',
  'liblz4-1',
  'liblzma5',
  'libzstd1',
  'libselinux1',
  'libpcre2-8-0',
  'libseccomp2',
  'libyajl2',
  'libip4tc2',
  'libip6tc2',
  'libxtables12',
  'libnftnl11',
  'libmnl0',
  'libnfnetlink0',
  'libnetfilter-conntrack3',
  'libssl3',
] as const;

/** Modules dockerd's own iptables rules need and our image does without. */
const peerModules =
  /\/(nft_compat|x_tables|xt_addrtype|xt_conntrack|xt_MASQUERADE|xt_nat|xt_mark|ip_tables|iptable_\w+|ip6_tables|ip6table_\w+)\.ko$/;

/** Makes `<target>` anew; about 300 MB. */
export async function buildPeers(arch: Arch, workFolder: string, target: string): Promise<void> {
  const source = await openPackageSource(arch, workFolder);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  const chosen = await choosePackages(source, archRecipes[arch].kernelMetaPackage, packages);
  const [kernelFolder = '', ...folders] = await unpackPackages(source, chosen, (line) =>
    process.stderr.write(`${line}\n`),
  );
  for (const folder of folders) await cp(folder, target, { recursive: true, verbatimSymlinks: true, force: true });
  await rm(path.join(target, 'usr/share'), { recursive: true, force: true });
  await mkdir(path.join(target, 'etc'), { recursive: true });
  await writeFile(path.join(target, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  await writeFile(path.join(target, 'etc/group'), 'root:x:0:\ndocker:x:999:\n');
  await linkAlternatives(target);
  await copyModules(kernelFolder, target);
}

/** What the packages' install scripts would have linked. */
async function linkAlternatives(target: string): Promise<void> {
  for (const name of ['iptables', 'ip6tables', 'iptables-save', 'iptables-restore']) {
    const link = path.join(target, 'usr/sbin', name);
    await rm(link, { force: true });
    await symlink('xtables-nft-multi', link);
  }
  const binFolder = path.join(target, 'bin');
  for (const name of ['sh', 'true', 'sleep', 'mount', 'tar', 'gzip']) {
    await symlink('busybox', path.join(binFolder, name)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
  const loader = spawnSync('ldconfig', ['-r', target], { encoding: 'utf8' });
  if (loader.status !== 0) throw new Error(`ldconfig -r ${target}: ${loader.stderr}`);
}

async function copyModules(kernelFolder: string, target: string): Promise<void> {
  const from = path.join(kernelFolder, 'lib/modules');
  const files = await readdir(from, { recursive: true });
  for (const file of files.filter((name) => peerModules.test(`/${name}`))) {
    const to = path.join(target, 'modules', path.basename(file));
    await mkdir(path.dirname(to), { recursive: true });
    await cp(path.join(from, file), to);
  }
}
