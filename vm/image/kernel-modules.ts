/** Chooses kernel modules: names -> files, with what they depend on, in loading order. Pure. */
import { ImageError } from './steps.ts';

/** The kernel package's own tables. */
export interface ModuleTables {
  /** Text of modules.dep, as depmod writes it. */
  readonly dependencies: string;
  /** Text of modules.builtin. */
  readonly builtin: string;
}

/**
 * The files (relative to lib/modules/<version>) to load for these modules, each after what it depends on, none twice.
 * Names built into the kernel are left out; a name ending in `?` may be missing.
 * @throws {ImageError} naming a module the kernel does not have.
 */
export function resolveModules(tables: ModuleTables, names: readonly string[]): string[] {
  const dependencies = parseDependencies(tables.dependencies);
  const files = new Map([...dependencies.keys()].map((file) => [moduleName(file), file]));
  const builtin = new Set(tables.builtin.split('\n').filter(Boolean).map(moduleName));
  const chosen = new Set<string>();
  for (const entry of names) {
    const name = moduleName(entry.replace(/\?$/, ''));
    const file = files.get(name);
    if (file !== undefined) {
      for (const needed of [...(dependencies.get(file) ?? [])].reverse()) chosen.add(needed);
      chosen.add(file);
    } else if (!builtin.has(name) && !entry.endsWith('?')) {
      throw new ImageError(
        `kernel module ${name}: this kernel has it neither as a module nor built in`,
        'mark it with `?` in vm/image/recipe.ts if the guest can do without it',
      );
    }
  }
  return [...chosen];
}

function parseDependencies(text: string): Map<string, string[]> {
  const lines = text.split('\n').filter(Boolean);
  return new Map(
    lines.map((line) => {
      const [file = '', rest = ''] = line.split(':', 2);
      return [file, rest.split(' ').filter(Boolean)];
    }),
  );
}

/** `kernel/net/foo-bar.ko` -> `foo_bar`: the kernel takes `-` and `_` for the same. */
function moduleName(file: string): string {
  return (file.split('/').at(-1) ?? '').replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_');
}
