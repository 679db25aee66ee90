/** A new volume with what another holds. */
import type { VolumeCloneMessage } from '../../contract/wherry-api.ts';
import type { UnpackProgram } from '../snapshots/unpack-program.ts';
import { anonymousLabel } from '../volumes/volume-store.ts';
import type { Parts } from './parts.ts';

export interface CloneRequest {
  readonly from: string;
  /** Of the new one, which must not exist. */
  readonly to: string;
}

/**
 * File by file, sharing blocks where the file system can: containers may go on writing, and what they write meanwhile is in
 * the clone or not, each file for itself. When it fails there is no new volume.
 */
export async function cloneVolume(
  parts: Parts,
  program: Pick<UnpackProgram, 'copyFolder' | 'folderBytes'>,
  { from, to }: CloneRequest,
  signal: AbortSignal,
  report: (message: VolumeCloneMessage) => void,
): Promise<void> {
  await parts.volumeUse.hold(from, 'copy', async () => {
    const source = parts.volumes.find(from);
    const labels = Object.fromEntries(Object.entries(source.labels).filter(([name]) => name !== anonymousLabel));
    await using pending = await parts.volumes.begin(to, labels);
    const totalBytes = await program.folderBytes(source.mountpoint);
    report({ kind: 'progress', files: 0, bytes: 0, totalBytes });
    const copied = await program.copyFolder(source.mountpoint, pending.folder, signal, ({ files, bytes }) =>
      report({ kind: 'progress', files, bytes, totalBytes }),
    );
    signal.throwIfAborted();
    await pending.commit();
    report({ kind: 'done', ...copied });
  });
}
