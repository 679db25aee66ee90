/** What is asked of a build, and what it answers. */
import type { Credentials } from '../registry/auth.ts';
import type { CreateRequest } from './create-container.ts';
import type { ProgressLine } from './pull-progress.ts';

export interface BuildRequest {
  /** Its path in the context. */
  readonly dockerfile: string;
  readonly names: readonly string[];
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  /** A stage's name or number; empty: the last. */
  readonly target: string;
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly cacheFrom: readonly string[];
  readonly removeAfter: boolean;
  readonly removeAfterFailure: boolean;
  readonly platform: string;
  /** Limits, network and the like for the containers of RUN. */
  readonly container: CreateRequest;
  readonly credentials: (domain: string) => Credentials | undefined;
}

/** Who asked for the build. */
export interface BuildOutput {
  readonly tell: (line: BuildLine) => void;
  /** Resolves when what was told has been taken, so that long output waits where it is made; or when nobody takes it any more. */
  readonly taken: () => Promise<void>;
}

/** A line of the answer: text, progress of a pull, or the id of what was built. */
export type BuildLine = { readonly stream: string } | ProgressLine | { readonly aux: { readonly ID: string } };
