/** `--storage-opt size=…`: how much a container may write. Parsed here; enforced by XFS through a project of its own. */
import { EngineError } from '../../contract/errors.ts';
import type { DiskLimit } from '../snapshots/snapshotter.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import { parseBytes } from './parse-bytes.ts';

/**
 * @param options `HostConfig.StorageOpt`. Names in any case, as Docker takes them.
 * @returns bytes; 0 without a limit. @throws EngineError `invalid-parameter`, in Docker's words.
 */
export function sizeLimitOf(options: Readonly<Record<string, string>> | undefined): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(options ?? {})) {
    if (name.toLowerCase() !== 'size') throw new EngineError('invalid-parameter', `Unknown option ${name}`);
    const parsed = parseBytes(value);
    if (parsed === undefined) throw new EngineError('invalid-parameter', `invalid size: '${value}'`);
    bytes = parsed;
  }
  return bytes;
}

/** Undefined where the container may fill the disk. */
export function diskLimitOf({ diskProject, hostConfig }: ContainerRecord): DiskLimit | undefined {
  return diskProject === undefined ? undefined : { project: diskProject, bytes: sizeLimitOf(hostConfig.StorageOpt) };
}
