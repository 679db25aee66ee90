/**
 * Errors as they cross from the host to a shell, a window or the command line.
 *
 * The message reads "attempt object: reason"; the hint is one sentence with the next step.
 */
export const hostErrorCodes = [
  'invalid-input',
  'not-found',
  'conflict',
  'cancelled',
  'deadline',
  'unavailable',
  'port-taken',
  'vm-absent',
  'vm-failed',
  'qemu-missing',
  'image-missing',
  'link-lost',
  'engine',
  'unsupported',
  'internal',
] as const;

export type HostErrorCode = (typeof hostErrorCodes)[number];

/** The plain-data form of an {@link AppError}: what travels over a wire. */
export interface ErrorView {
  readonly code: HostErrorCode;
  readonly message: string;
  readonly hint?: string;
  /** HTTP status of the Engine API answer behind this error, when there was one. */
  readonly status?: number;
}

/** The one error class of the host side. `cause` keeps the original; `hint` says what to do next. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: HostErrorCode;
  readonly hint: string | undefined;
  readonly status: number | undefined;

  constructor(code: HostErrorCode, message: string, options: { hint?: string; status?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.status = options.status;
  }
}

/** Any thrown value as plain data; a value that is not an {@link AppError} becomes `internal`. */
export function toErrorView(error: unknown): ErrorView {
  if (error instanceof AppError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.status === undefined ? {} : { status: error.status }),
    };
  }
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
}

/** The inverse of {@link toErrorView}, for the receiving end. */
export function fromErrorView(view: ErrorView): AppError {
  return new AppError(view.code, view.message, {
    ...(view.hint === undefined ? {} : { hint: view.hint }),
    ...(view.status === undefined ? {} : { status: view.status }),
  });
}
