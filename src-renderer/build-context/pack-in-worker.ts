/** {@link packContext} in a worker of its own, which ends with the signal. */
import type { PackedContext } from './pack-context.ts';
import type { PackRequest } from './pack-worker.ts';

type Answer = { readonly packed: PackedContext } | { readonly problem: string };

export function packInWorker(request: PackRequest, signal: AbortSignal): Promise<PackedContext> {
  return new Promise((resolve, reject) => {
    const worker = new Worker('pack-worker.js', { type: 'module' });
    const end = () => worker.terminate();
    signal.addEventListener('abort', end, { once: true });
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      signal.removeEventListener('abort', end);
      end();
      if ('packed' in data) resolve(data.packed);
      else reject(new Error(`read the folder: ${data.problem}`));
    };
    worker.onerror = () => reject(new Error('read the folder: the packing did not start'));
    worker.postMessage(request);
  });
}
