const ERROR_CODES = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'stale',
  'too_large',
  'key_reused',
  'exhausted',
  'unavailable',
  'deadline',
  'internal',
] as const;

/** What went wrong, in one word that means the same in a log, a span, a reply and a REST problem. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Whether a word, such as one from another process, is a code that this version knows. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return ERROR_CODES.some((known) => known === code);
}

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

/** Why a request was refused, as it is recorded. The code is a plain word: another version may have written it. */
export type RecordedRefusal = {
  code: string;
  message: string;
  fields?: TocsinError['fields'];
  details?: TocsinError['details'];
};

/**
 * Whether an error is the answer to its request, which a repetition would only get again. A reused key is not: the record
 * under that key belongs to the other request. Neither is a defect, which a later version may no longer have.
 */
export function isLastingRefusal(error: unknown): error is TocsinError {
  return error instanceof TocsinError && !error.retry && error.code !== 'key_reused' && error.code !== 'internal';
}

/** A refusal as it is recorded for those that repeat the request. */
export function recordRefusal({ code, message, fields, details }: TocsinError): RecordedRefusal {
  return { code, message, ...(fields ? { fields } : {}), ...(details ? { details } : {}) };
}

/** A recorded refusal as the error that it was. Never throws; a code that this version does not know is `internal`. */
export function refusalError({ code, message, fields, details }: RecordedRefusal): TocsinError {
  return new TocsinError(isErrorCode(code) ? code : 'internal', message, {
    retry: false,
    ...(fields ? { fields } : {}),
    ...(details ? { details } : {}),
  });
}
