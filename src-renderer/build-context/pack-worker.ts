/** Packs a build's folder beside the page: matching a hundred thousand names against `.dockerignore` takes its time. */
import { packContext, type ContextFile } from './pack-context.ts';

export interface PackRequest {
  readonly files: readonly ContextFile[];
  readonly dockerfile: string;
}

/** The worker's own scope, which the page's types do not have. */
interface Scope {
  onmessage: ((event: { readonly data: PackRequest }) => void) | null;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as Scope;

scope.onmessage = ({ data: { files, dockerfile } }) => {
  packContext(files, dockerfile).then(
    (packed) => scope.postMessage({ packed }),
    (error: unknown) => scope.postMessage({ problem: error instanceof Error ? error.message : String(error) }),
  );
};
