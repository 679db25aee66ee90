/** How every shell begins: prepares the home and gives out the way to its host, owned here or by another process. */
import { lockHome, type HolderRole } from './acquire.ts';
import type { ShellFacts } from './handlers/app.ts';
import { defaultHome, prepareHome, type HomePaths } from './home.ts';
import { accessHost, type HostAccess } from './host-access.ts';
import { createHost, type HostOptions } from './host.ts';

export interface OpenHomeOptions extends HostOptions {
  /** {@link defaultHome} when absent. */
  readonly home?: string;
  readonly shell: Omit<ShellFacts, 'home'>;
  /** How the lock names this process to others. */
  readonly role: HolderRole;
  /** False for a command that only talks to an owner. Default true. */
  readonly mayOwn?: boolean;
}

export interface OpenHome {
  readonly paths: HomePaths;
  readonly shell: ShellFacts;
  /** To be disposed by the caller. */
  readonly access: HostAccess;
}

/** Connects to nothing yet: {@link HostAccess.connect} does, and takes the home if nobody has it. */
export async function openHome(options: OpenHomeOptions): Promise<OpenHome> {
  const paths = await prepareHome(options.home ?? defaultHome());
  const shell: ShellFacts = { ...options.shell, home: paths.root };
  const access = accessHost({
    hostSocket: paths.hostSocket,
    shell,
    lock: () => lockHome(paths.lock, options.role),
    createServices: () => createHost(paths, options),
    mayOwn: options.mayOwn ?? true,
  });
  return { paths, shell, access };
}
