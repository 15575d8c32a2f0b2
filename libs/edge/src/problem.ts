import { HttpException } from '@nestjs/common';
import { type FieldProblem, type Problem, type ProblemCode, problems } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';

/** A refusal that only HTTP knows, or a TocsinError's with headers or the place of its fields. */
export class EdgeRefusal extends Error {
  constructor(
    readonly code: ProblemCode,
    message: string,
    readonly more: { headers?: Record<string, string>; fields?: readonly FieldProblem[] } = {},
  ) {
    super(message);
  }

  /** A header that is not valid. */
  static header(name: string, message: string): EdgeRefusal {
    return new EdgeRefusal('invalid', `The header ${name} is not valid: ${message}`, {
      fields: [{ in: 'header', path: `/${name}`, message }],
    });
  }

  /** Fields that are not valid; the detail names the first. */
  static fields(fields: readonly FieldProblem[]): EdgeRefusal {
    const first = fields[0];
    const where = `${first?.in ? `${first.in} ` : ''}${first?.path ?? ''}`.trim() || 'the body';
    const more = fields.length > 1 ? ` (and ${fields.length - 1} more)` : '';
    return new EdgeRefusal('invalid', `${where}: ${first?.message ?? 'not valid'}${more}`, { fields });
  }
}

export interface Refusal {
  problem: Problem;
  headers: Record<string, string>;
}

const BY_STATUS: Record<number, ProblemCode> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'too_large',
  415: 'unsupported_type',
  429: 'exhausted',
  503: 'unavailable',
};
const RETRY: ReadonlySet<ProblemCode> = new Set(['exhausted', 'unavailable', 'deadline']);
const HIDDEN_DETAIL = 'This is a defect of Tocsin, not of the request. Its log says more, under this trace.';

/** The problem (RFC 9457) for anything that can be thrown. What is no refusal is a defect, and says nothing of itself. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof EdgeRefusal) {
    const headers = { ...retryAfter(error.code, undefined), ...error.more.headers };
    return { problem: problemOf(error.code, error.message, error.more.fields), headers };
  }
  if (error instanceof TocsinError && error.code !== 'internal') {
    const headers = { ...retryAfter(error.code, error), ...challenge(error.code) };
    return { problem: { ...problemOf(error.code, error.message, error.fields), retry: error.retry }, headers };
  }
  const status = statusOf(error);
  if (status === undefined) return { problem: problemOf('internal', HIDDEN_DETAIL), headers: {} };
  const code = BY_STATUS[status] ?? 'invalid';
  return { problem: problemOf(code, (error as Error).message), headers: retryAfter(code, undefined) };
}

/** The problem of a code. */
function problemOf(code: ProblemCode, detail: string, fields: readonly FieldProblem[] = []): Problem {
  const { status, title } = problems[code];
  return {
    type: `urn:tocsin:problem:${code}`,
    title,
    status,
    detail,
    code,
    retry: RETRY.has(code),
    ...(fields.length > 0 ? { errors: [...fields] } : {}),
  };
}

/** The status of a refusal of Nest's or Fastify's; undefined for anything else, and for their failures. */
function statusOf(error: unknown): number | undefined {
  const status =
    error instanceof HttpException
      ? error.getStatus()
      : error instanceof Error && 'statusCode' in error
        ? Number(error.statusCode)
        : undefined;
  return status !== undefined && ((status >= 400 && status < 500) || status === 503) ? status : undefined;
}

function retryAfter(code: ProblemCode, error: TocsinError | undefined): Record<string, string> {
  if (!RETRY.has(code)) return {};
  const ms = Number(error?.details?.['retryAfterMs']);
  return { 'retry-after': String(Number.isFinite(ms) ? Math.max(1, Math.ceil(ms / 1_000)) : 1) };
}

function challenge(code: ProblemCode): Record<string, string> {
  return code === 'unauthenticated' ? { 'www-authenticate': 'Bearer realm="tocsin"' } : {};
}
