/** Where this command line's program, image and window are, and what it writes to. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { homeHolder, type HolderRole } from '../acquire.ts';
import { Doctor } from '../diagnostics/doctor.ts';
import type { HomePaths } from '../home.ts';
import type { HostAccess } from '../host-access.ts';
import { chooseBackend, hostArchitecture } from '../host.ts';
import { openHome } from '../open-home.ts';
import type { SettingsService } from '../services.ts';

export interface CliContext {
  readonly paths: HomePaths;
  readonly version: string;
  /** Holds `<arch>/manifest.json`. */
  readonly imageRoot: string;
  /** The built window. */
  readonly windowFolder: string;
  /** Command that runs this program again: node, its own options, the script. */
  readonly self: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly json: boolean;
  /** Results. */
  readonly print: (text: string) => void;
  /** Progress and remarks. */
  readonly report: (text: string) => void;
  /** Aborted by Ctrl-C or a termination signal. */
  readonly signal: AbortSignal;
}

export interface ProgramPlaces {
  readonly version: string;
  readonly imageRoot: string;
  readonly windowFolder: string;
  readonly self: readonly string[];
}

/** From the script's own path: `dist/cli/main.cjs` and `src-main/cli/main.ts` lie equally deep below the root. */
export function programPlaces(script: string, env: NodeJS.ProcessEnv): ProgramPlaces {
  const root = path.resolve(path.dirname(script), '..', '..');
  const packaged = Reflect.get(process, 'resourcesPath') as string | undefined;
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  return {
    version,
    imageRoot: env['WHERRY_GUEST_IMAGE'] ?? path.join(packaged ?? path.join(root, 'dist'), 'guest'),
    windowFolder: path.join(root, 'dist', 'renderer'),
    self: [process.execPath, ...process.execArgv, script],
  };
}

export interface AccessOptions {
  readonly role: HolderRole;
  /** False: only talk to an owner there is. */
  readonly mayOwn: boolean;
  /** False: leave a running VM alone until asked. */
  readonly attach?: boolean;
}

/** The way to the home's owner, or to become it. */
export async function accessTo(context: CliContext, options: AccessOptions): Promise<HostAccess> {
  const { paths, imageRoot, version } = context;
  const { access } = await openHome({ ...options, home: paths.root, imageRoot, shell: { version, shell: 'web' } });
  return access;
}

/** Probes from this process, for when no owner can. */
export function ownDoctor(context: CliContext, settings: SettingsService): Doctor {
  const { paths } = context;
  return new Doctor({
    paths,
    settings: () => settings.current,
    imageFolder: imageFolder(context),
    chooseBackend: () => chooseBackend(paths, hostArchitecture(), settings.current, {}),
    hasOwner: async () => (await homeHolder(paths.lock)) !== undefined,
  });
}

export function imageFolder(context: CliContext): string {
  return path.join(context.imageRoot, hostArchitecture());
}
