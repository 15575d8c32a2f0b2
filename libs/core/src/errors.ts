/** What went wrong, in one word that means the same in a log, a span, a reply and a REST problem. */
export type ErrorCode =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'stale'
  | 'too_large'
  | 'key_reused'
  | 'exhausted'
  | 'unavailable'
  | 'deadline'
  | 'internal';

/** One field of an input and what is wrong with it; `path` is written `/like/this/0` (RFC 6901). */
export interface FieldError {
  path: string;
  message: string;
}

export interface TocsinErrorOptions {
  /** Whether the same call may succeed later. Defaults by code. */
  retry?: boolean;
  fields?: readonly FieldError[];
  details?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

const RETRYABLE: ReadonlySet<ErrorCode> = new Set(['exhausted', 'unavailable', 'deadline']);

/**
 * The one error class that crosses layers and processes. It says whether a retry is worth it, and its message
 * says what to do. Anything else that is thrown is a defect and is shown to callers as `internal`.
 */
export class TocsinError extends Error {
  override readonly name = 'TocsinError';
  readonly retry: boolean;
  readonly fields: readonly FieldError[] | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: TocsinErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retry = options.retry ?? RETRYABLE.has(code);
    this.fields = options.fields;
    this.details = options.details;
  }
}
