/** Images to and from files and registries. */
import { AppError } from '../../src-main/contract/errors.ts';
import type { BuildRequest } from '../../src-main/contract/engine.ts';
import { host } from '../bridge.ts';
import { showError } from '../stores/toasts.ts';
import { saveBlob } from './links.ts';
import { receiveFile, sendFile } from './transfers.ts';

export async function startPush(reference: string): Promise<string> {
  return (await host.call('images.push', { reference })).taskId;
}

/** What goes wrong once it has begun is told with its task. */
function tellUnlessTask(what: string, begun: () => boolean): (error: unknown) => void {
  return (error) => {
    const cancelled = error instanceof AppError && error.code === 'cancelled';
    if (!begun() && !cancelled) showError(what, error);
  };
}

export function saveImage(reference: string): void {
  let begun = false;
  const save = async () => {
    const stream = host.open('images.save', { references: [reference] });
    const archive = await receiveFile(
      (async function* () {
        for await (const item of stream) {
          begun = true;
          yield item;
        }
      })(),
    );
    saveBlob(archive, archiveName(reference));
  };
  save().catch(tellUnlessTask('Could not save the image', () => begun));
}

/** `shop/worker:1` becomes `shop-worker-1.tar`. */
export function archiveName(reference: string): string {
  return `${reference
    .replace(/^sha256:/, '')
    .replaceAll(/[^\w.-]+/g, '-')
    .slice(0, 120)}.tar`;
}

export function loadImages(files: Iterable<File>): void {
  for (const file of files) {
    let begun = false;
    sendFile(host.open('images.load', { name: file.name, sizeBytes: file.size }), file, () => (begun = true)).catch(
      tellUnlessTask(`Could not load ${file.name}`, () => begun),
    );
  }
}

/** Resolves with the task once the build is under way; the rest of the archive goes on from here. */
export function startBuild(request: Omit<BuildRequest, 'sizeBytes'>, archive: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    sendFile(host.open('images.build', { ...request, sizeBytes: archive.size }), archive, resolve).catch(
      (error: unknown) => {
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
