/** Errors of the engine, tied to the HTTP status the Engine API answers with. */
export const engineErrorStatus = {
  'invalid-parameter': 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'not-modified': 304,
  'too-large': 413,
  system: 500,
  'not-implemented': 501,
  unavailable: 503,
} as const;

export type EngineErrorCode = keyof typeof engineErrorStatus;

/** The one error class of the agent. The message is what the docker CLI prints after "Error response from daemon: ". */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;
  readonly hint: string | undefined;

  constructor(code: EngineErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  /** HTTP status of the answer. */
  get status(): number {
    return engineErrorStatus[this.code];
  }
}
