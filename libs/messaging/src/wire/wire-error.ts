import { type ErrorCode, isErrorCode, TocsinError } from '@tocsin/core';

/** How an error travels in a reply. */
export interface WireError {
  code: ErrorCode;
  message: string;
  retry: boolean;
  fields?: TocsinError['fields'];
  details?: TocsinError['details'];
}

/** An error as another process may see it: a TocsinError as it is, any other only as `internal`. */
export function toWire(error: unknown): WireError {
  if (!(error instanceof TocsinError)) {
    return { code: 'internal', message: 'The service failed. Its log says why.', retry: false };
  }
  const { code, message, retry, fields, details } = error;
  return { code, message, retry, ...(fields ? { fields } : {}), ...(details === undefined ? {} : { details }) };
}

/** The error that another process answered with. It never throws, not even for an unreadable answer. */
export function fromWire(body: unknown): TocsinError {
  const wire = (typeof body === 'object' && body !== null ? body : {}) as Partial<WireError>;
  const code = isErrorCode(wire.code) ? wire.code : 'internal';
  const message = typeof wire.message === 'string' ? wire.message : 'The service answered with an unreadable error.';
  return new TocsinError(code, message, {
    ...(typeof wire.retry === 'boolean' ? { retry: wire.retry } : {}),
    ...(Array.isArray(wire.fields) ? { fields: wire.fields } : {}),
    ...(wire.details === undefined ? {} : { details: wire.details }),
  });
}

/** A schema's refusal as a TocsinError with the path of each bad field. */
export function invalid(what: string, cause: unknown): TocsinError {
  const issues = (cause as { issues?: unknown }).issues;
  const fields = Array.isArray(issues)
    ? issues.slice(0, 50).map((issue: { path?: unknown[]; message?: unknown }) => ({
        path: Array.isArray(issue.path) ? issue.path.map((step) => `/${String(step)}`).join('') : '',
        message: typeof issue.message === 'string' ? issue.message : 'not valid',
      }))
    : undefined;
  const reason = fields?.map((f) => `${f.path || '/'}: ${f.message}`).join('; ') ?? String((cause as Error)?.message);
  return new TocsinError('invalid', `${what} is not valid: ${reason.slice(0, 500)}`, {
    ...(fields ? { fields } : {}),
    cause,
  });
}
