/**
 * The default seccomp profile: the system calls Docker's default allows, by what they are for; and profiles of the user's
 * own, in Docker's JSON format. Both become an OCI seccomp object for the container's capabilities and this machine.
 */
import { z } from 'zod';
import { EngineError } from '../../contract/errors.ts';
import type { OciSeccomp } from './runtime.ts';

type Rule = OciSeccomp['syscalls'][number];

const allow = 'SCMP_ACT_ALLOW';
const refuse = 'SCMP_ACT_ERRNO';
const eperm = 1;
const enosys = 38;

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

/** Allowed to all. Names of other architectures and unknown ones are passed over by the compiler. */
const allowedToAll = words(`
  read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 readahead lseek _llseek
  open openat openat2 creat close close_range dup dup2 dup3 pipe pipe2 fcntl fcntl64 flock ioctl
  splice tee vmsplice sendfile sendfile64 copy_file_range sync_file_range fallocate fadvise64 fadvise64_64
  fsync fdatasync sync syncfs truncate truncate64 ftruncate ftruncate64 cachestat
  stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64
  access faccessat faccessat2 chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32 umask
  utime utimes utimensat utimensat_time64 futimesat
  mkdir mkdirat rmdir mknod mknodat link linkat symlink symlinkat unlink unlinkat rename renameat renameat2
  readlink readlinkat getdents getdents64 getcwd chdir fchdir name_to_handle_at
  getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat
  listxattr llistxattr flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat
  inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark
  select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2
  eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_settime timerfd_settime64 timerfd_gettime timerfd_gettime64
  io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64 ioprio_get ioprio_set
  socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt
  send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64 socketcall
  mmap mmap2 munmap mremap mprotect msync madvise mincore brk remap_file_pages mlock mlock2 mlockall munlock munlockall
  memfd_create memfd_secret membarrier mseal map_shadow_stack pkey_alloc pkey_free pkey_mprotect
  fork vfork execve execveat exit exit_group wait4 waitid waitpid restart_syscall
  getpid getppid gettid getpgid getpgrp getsid setpgid setsid set_tid_address
  pidfd_open pidfd_send_signal process_mrelease kill tkill tgkill pause
  rt_sigaction rt_sigprocmask rt_sigpending rt_sigqueueinfo rt_tgsigqueueinfo rt_sigreturn rt_sigsuspend
  rt_sigtimedwait rt_sigtimedwait_time64 sigaltstack sigprocmask sigreturn
  futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue get_robust_list set_robust_list rseq
  get_thread_area set_thread_area prctl seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
  getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getgroups getgroups32
  getresuid getresuid32 getresgid getresgid32 setuid setuid32 setgid setgid32 setgroups setgroups32
  setreuid setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32
  setfsuid setfsuid32 setfsgid setfsgid32 capget capset
  getrlimit ugetrlimit setrlimit prlimit64 getrusage times getpriority setpriority getcpu sysinfo uname getrandom
  sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
  sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min
  sched_rr_get_interval sched_rr_get_interval_time64
  time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 clock_nanosleep clock_nanosleep_time64
  nanosleep adjtimex clock_adjtime clock_adjtime64 alarm getitimer setitimer
  timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
  ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget
  mq_open mq_unlink mq_notify mq_getsetattr mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64
  process_vm_readv process_vm_writev ptrace
`);

/** Allowed to those who have the capability. */
const allowedByCapability: Readonly<Record<string, readonly string[]>> = {
  CAP_DAC_READ_SEARCH: ['open_by_handle_at'],
  CAP_SYS_ADMIN: words(`
    bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick listmount lookup_dcookie lsm_get_self_attr
    lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd
    setdomainname sethostname setns statmount syslog umount umount2 unshare`),
  CAP_SYS_BOOT: ['reboot'],
  CAP_SYS_CHROOT: ['chroot'],
  CAP_SYS_MODULE: ['delete_module', 'init_module', 'finit_module'],
  CAP_SYS_PACCT: ['acct'],
  CAP_SYS_PTRACE: ['kcmp', 'pidfd_getfd', 'process_madvise'],
  CAP_SYS_RAWIO: ['iopl', 'ioperm'],
  CAP_SYS_TIME: ['settimeofday', 'stime', 'clock_settime', 'clock_settime64'],
  CAP_SYS_TTY_CONFIG: ['vhangup'],
  CAP_SYS_NICE: ['get_mempolicy', 'mbind', 'set_mempolicy', 'set_mempolicy_home_node'],
  CAP_SYSLOG: ['syslog'],
  CAP_BPF: ['bpf'],
  CAP_PERFMON: ['perf_event_open'],
};

const machines: Readonly<Record<string, { name: string; oci: readonly string[]; own: readonly string[] }>> = {
  x64: {
    name: 'amd64',
    oci: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    own: ['arch_prctl', 'modify_ldt'],
  },
  arm64: {
    name: 'arm64',
    oci: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
    own: words('arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls'),
  },
};

/** PER_LINUX, PER_LINUX32, each also with UNAME26, and the question which it is. */
const personalities = [0x0, 0x8, 0x20000, 0x20008, 0xffff_ffff];
const familyVsock = 40;
/** CLONE_NEW… that make namespaces: cgroup, uts, ipc, user, pid, net, mount. */
const namespaceFlags = 0x7e02_0000;

/** The default profile for a container with these capabilities (its bounding set). */
export function defaultSeccompProfile(capabilities: readonly string[], machine: string = process.arch): OciSeccomp {
  const admin = capabilities.includes('CAP_SYS_ADMIN');
  const rule = (names: readonly string[], ...args: NonNullable<Rule['args']>): Rule => ({ names, action: allow, args });
  return {
    defaultAction: refuse,
    defaultErrnoRet: eperm,
    architectures: machines[machine]?.oci ?? [],
    syscalls: [
      rule([...allowedToAll, ...(machines[machine]?.own ?? [])]),
      rule(['socket'], { index: 0, value: familyVsock, op: 'SCMP_CMP_NE' }),
      ...personalities.map((value) => rule(['personality'], { index: 0, value, op: 'SCMP_CMP_EQ' })),
      ...capabilities.flatMap((name) => allowedByCapability[name] ?? []).map((name) => rule([name])),
      ...(admin
        ? []
        : [
            rule(['clone'], { index: 0, value: namespaceFlags, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }),
            /* Its flags are out of a filter's reach; a program told that it is missing falls back to clone. */
            { names: ['clone3'], action: refuse, errnoRet: enosys },
          ]),
    ],
  };
}

const conditions = z.object({
  caps: z.array(z.string()).nullish(),
  arches: z.array(z.string()).nullish(),
});

const profileFormat = z.object({
  defaultAction: z.string(),
  defaultErrnoRet: z.number().int().nullish(),
  architectures: z.array(z.string()).nullish(),
  archMap: z.array(z.object({ architecture: z.string(), subArchitectures: z.array(z.string()).nullish() })).nullish(),
  syscalls: z
    .array(
      z.object({
        name: z.string().optional(),
        names: z.array(z.string()).nullish(),
        action: z.string(),
        errnoRet: z.number().int().nullish(),
        args: z
          .array(
            z.object({
              index: z.number().int().min(0).max(5),
              value: z.number().min(0),
              valueTwo: z.number().min(0).nullish(),
              op: z.string(),
            }),
          )
          .nullish(),
        includes: conditions.nullish(),
        excludes: conditions.nullish(),
      }),
    )
    .nullish(),
});

/** A profile in Docker's JSON format (as `--security-opt seccomp=FILE` sends it). Throws `invalid-parameter` on what is none. */
export function parseSeccompProfile(
  json: string,
  capabilities: readonly string[],
  machine: string = process.arch,
): OciSeccomp {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch (cause) {
    throw new EngineError('invalid-parameter', 'Decoding seccomp profile failed: not JSON', { cause });
  }
  const parsed = profileFormat.safeParse(data);
  if (!parsed.success) {
    throw new EngineError('invalid-parameter', `Decoding seccomp profile failed: ${z.prettifyError(parsed.error)}`);
  }
  const profile = parsed.data;
  const here = machines[machine];
  const holds = (list: z.infer<typeof conditions> | null | undefined, all: boolean) => {
    const caps = (list?.caps ?? []).map((name) => capabilities.includes(name));
    const arches = list?.arches == null || list.arches.length === 0 ? [] : [list.arches.includes(here?.name ?? '')];
    return all ? [...caps, ...arches].every(Boolean) : [...caps, ...arches].some(Boolean);
  };
  const mapped = profile.archMap?.find(({ architecture }) => architecture === here?.oci[0]);
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet == null ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: mapped ? [mapped.architecture, ...(mapped.subArchitectures ?? [])] : (profile.architectures ?? []),
    syscalls: (profile.syscalls ?? [])
      .filter((rule) => holds(rule.includes, true) && !holds(rule.excludes, false))
      .map((rule) => ({
        names: rule.names ?? (rule.name === undefined ? [] : [rule.name]),
        action: rule.action,
        ...(rule.errnoRet == null ? {} : { errnoRet: rule.errnoRet }),
        args: (rule.args ?? []).map(({ index, value, valueTwo, op }) => ({
          index,
          value,
          valueTwo: valueTwo ?? 0,
          op,
        })),
      })),
  };
}
