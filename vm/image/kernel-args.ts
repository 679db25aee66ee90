/** The guest kernel's command line. The host builds the machine's arguments with it; so does the runner. */

/** What a boot may ask of the guest; everything is optional. */
export interface KernelArgOptions {
  readonly arch: 'amd64' | 'arm64';
  /** `run`: run /payload/run.sh from the payload disk in the agent's place, then power off. For tests. */
  readonly payload?: 'run';
  /** Put the payload disk's `agent/` folder over /usr/lib/wherry. For development. */
  readonly dev?: boolean;
  /** Words appended as they are. */
  readonly extra?: readonly string[];
}

/** Pure: the same options give the same line. Measured effects are in README.md. */
export function kernelArgs(options: KernelArgOptions): string {
  const words = [
    `console=${options.arch === 'amd64' ? 'ttyS0' : 'ttyAMA0'}`,
    'quiet',
    'loglevel=4',
    // A guest that panics ends its QEMU (started with -no-reboot), which the host sees at once.
    'panic=-1',
    'rdinit=/init',
    'cgroup_no_v1=all',
    'random.trust_cpu=on',
    'rcupdate.rcu_expedited=1',
    'cryptomgr.notests',
  ];
  if (options.arch === 'amd64') words.push('tsc=reliable', 'no_timer_check', 'i8042.noaux', 'i8042.nopnp');
  if (options.payload === 'run') words.push('wherry.payload=run');
  if (options.dev === true) words.push('wherry.dev=1');
  return [...words, ...(options.extra ?? [])].join(' ');
}
