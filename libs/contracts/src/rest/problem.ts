import type { ErrorCode } from '@tocsin/core';
import { z } from 'zod';

/** What each error code is at the REST edge: its status and its title. The one place where they are tied together. */
export const problems = {
  invalid: { status: 400, title: 'The request is not valid' },
  unauthenticated: { status: 401, title: 'A valid API token is needed' },
  forbidden: { status: 403, title: 'The token does not allow this' },
  not_found: { status: 404, title: 'There is nothing here' },
  method_not_allowed: { status: 405, title: 'This method is not offered here' },
  conflict: { status: 409, title: 'The request conflicts with what is there' },
  stale: { status: 412, title: 'It was changed in the meantime' },
  too_large: { status: 413, title: 'The body is too large' },
  unsupported_type: { status: 415, title: 'The type of the body is not supported' },
  expectation_failed: { status: 417, title: 'The expectation of the request cannot be met' },
  key_reused: { status: 422, title: 'The Idempotency-Key was used with another request' },
  exhausted: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Tocsin failed' },
  unavailable: { status: 503, title: 'A part that is needed for this is away' },
  deadline: { status: 504, title: 'No answer in time' },
} as const satisfies Record<ErrorCode | EdgeCode, { status: number; title: string }>;

/** Codes that only HTTP knows. */
type EdgeCode = 'method_not_allowed' | 'unsupported_type' | 'expectation_failed';
export type ProblemCode = keyof typeof problems;

const fieldProblem = z.object({
  /** Where the path leads into; the body where absent. */
  in: z.enum(['query', 'path', 'header']).optional(),
  path: z.string().meta({ description: 'JSON Pointer (RFC 6901)', examples: ['/settings/url'] }),
  message: z.string(),
});
export type FieldProblem = z.infer<typeof fieldProblem>;

/** RFC 9457, `application/problem+json`. */
export const problem = z
  .object({
    type: z.string().meta({ examples: ['urn:tocsin:problem:invalid'] }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().optional().meta({ description: 'The path that was asked for' }),
    code: z.enum(Object.keys(problems) as [ProblemCode, ...ProblemCode[]]),
    retry: z.boolean().meta({ description: 'Whether the same request may succeed later' }),
    errors: z.array(fieldProblem).optional(),
    traceId: z.string().optional().meta({ description: 'As in Tocsin-Trace-Id: the log says more under it' }),
  })
  .meta({ description: 'What went wrong (RFC 9457)' });
export type Problem = z.infer<typeof problem>;
