import { trace, isSpanContextValid } from '@opentelemetry/api';
import { TocsinError, type ErrorCode, type FieldError } from '@tocsin/core';
import { HttpException } from '@nestjs/common';

/** An error as REST says it (RFC 9457), with Tocsin's own members. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  /** The trace of the request, by which its log lines are found. */
  instance?: string;
  code: ErrorCode;
  errors?: readonly FieldError[];
}

const KINDS: Record<ErrorCode, { status: number; title: string }> = {
  invalid: { status: 400, title: 'The request is not valid' },
  unauthenticated: { status: 401, title: 'Authentication is needed' },
  forbidden: { status: 403, title: 'Not allowed' },
  not_found: { status: 404, title: 'There is no such thing' },
  conflict: { status: 409, title: 'It conflicts with what is there' },
  stale: { status: 412, title: 'It has changed in the meantime' },
  too_large: { status: 413, title: 'The request is too large' },
  key_reused: { status: 422, title: 'The idempotency key was used for another request' },
  exhausted: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something went wrong in Tocsin' },
  unavailable: { status: 503, title: 'Not available at the moment' },
  deadline: { status: 504, title: 'No answer in time' },
};

const HIDDEN_DETAIL = 'The cause is in the log, under the trace of this request.';

/** The problem for anything that can be thrown. What is not a refusal of ours or of the HTTP layer stays hidden. */
export function toProblem(error: unknown): Problem {
  if (error instanceof TocsinError && error.code !== 'internal') {
    return problem(error.code, error.message, { fields: error.fields });
  }
  const refused = httpRefusal(error);
  if (refused) return problem(codeOf(refused.status), refused.message, { status: refused.status });
  return problem('internal', HIDDEN_DETAIL, {});
}

function problem(
  code: ErrorCode,
  detail: string,
  o: { status?: number; fields?: readonly FieldError[] | undefined },
): Problem {
  const kind = KINDS[code];
  const span = trace.getActiveSpan()?.spanContext();
  return {
    type: `urn:tocsin:problem:${code}`,
    title: kind.title,
    status: o.status ?? kind.status,
    detail,
    ...(span && isSpanContextValid(span) ? { instance: `urn:trace:${span.traceId}` } : {}),
    code,
    ...(o.fields && o.fields.length > 0 ? { errors: o.fields } : {}),
  };
}

/** Refusals of Nest and Fastify (no such route, a body that is not JSON, …). Those of status 500 and above say nothing. */
function httpRefusal(error: unknown): { status: number; message: string } | undefined {
  if (error instanceof HttpException) return clientError(error.getStatus(), error.message);
  if (error instanceof Error && 'statusCode' in error) return clientError(Number(error.statusCode), error.message);
  return undefined;
}

function clientError(status: number, message: string): { status: number; message: string } | undefined {
  return status >= 400 && status < 500 ? { status, message } : undefined;
}

function codeOf(status: number): ErrorCode {
  for (const [code, kind] of Object.entries(KINDS)) if (kind.status === status) return code as ErrorCode;
  return 'invalid';
}
