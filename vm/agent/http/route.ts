/** The shape every route has; `router.ts` matches and calls them, one file per noun exports a list. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface RouteContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Values of `:name` and `*name` (which may hold slashes) in the path, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  /** `1.47` when the path had no prefix. */
  readonly apiVersion: string;
}

export interface Route {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Without the version prefix: `/containers/:id/json`, `/images/*name/json`. */
  readonly path: string;
  /** Takes the connection over (`hijack.ts`); others answer a request to upgrade as any other. */
  readonly takesOver?: true;
  /** A thrown `EngineError` becomes its status with `{"message": …}`; anything else 500. */
  readonly handle: (context: RouteContext) => Promise<void>;
}
