import { z } from 'zod';
import type { Role } from '../administration/token.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One row of the REST API: all that the gateway needs to admit a request, and all that OpenAPI says about it. */
export interface Route<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
  A extends z.ZodType = z.ZodType,
> {
  readonly method: Method;
  /** Written as OpenAPI does: `/v1/monitors/{id}`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** The least role that may; `anyone` needs no token. */
  readonly role: Role | 'anyone';
  readonly params: P;
  readonly query: Q;
  /** `z.undefined()` where it takes none. */
  readonly body: B;
  readonly answer: A;
  readonly status: 200 | 201 | 204;
  /** The type of the answer where it is not JSON. */
  readonly answerType?: string;
  readonly bodyTypes: readonly string[];
  /** Bodies that work as they are, by what they do; the first is proposed where the API is tried out. */
  readonly examples?: Readonly<Record<string, unknown>>;
  readonly bodyBytes: number;
  /** How it answers: `read` and `direct` at once, `command` perhaps with 202 and an operation, `stream` without end. */
  readonly work: 'read' | 'direct' | 'command' | 'stream';
  /** Which preconditions it heeds. */
  readonly conditional?: 'if-match' | 'if-none-match';
  /** The answer has an ETag. */
  readonly etag?: boolean;
}

const KIB = 1024;
export const MAX_BODY_BYTES = 1024 * KIB;
export const MONITOR_BODY_BYTES = 256 * KIB;

/** For routes without parameters, query or body. */
export const nothing = z.strictObject({});
export const noBody = z.undefined();

interface Rest<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  description?: string;
  params?: P;
  query?: Q;
  body?: B;
  status?: 200 | 201 | 204;
  answerType?: string;
  bodyTypes?: readonly string[];
  examples?: Readonly<Record<string, unknown>>;
  bodyBytes?: number;
  work?: Route['work'];
  conditional?: 'if-match' | 'if-none-match';
  etag?: boolean;
}

/** A group of routes under one tag: `at('Monitors')('editor', 'POST /v1/monitors', 'Create a monitor', monitor, {…})`. */
export function group(tag: string) {
  return function route<
    A extends z.ZodType,
    P extends z.ZodType = typeof nothing,
    Q extends z.ZodType = typeof nothing,
    B extends z.ZodType = typeof noBody,
  >(
    role: Route['role'],
    at: string,
    [summary, answer]: readonly [string, A],
    rest: Rest<P, Q, B> = {},
  ): Route<P, Q, B, A> {
    const [method, path] = at.split(' ') as [Method, string];
    return {
      bodyTypes: ['application/json'],
      bodyBytes: MAX_BODY_BYTES,
      status: 200,
      work: method === 'GET' ? 'read' : 'command',
      ...rest,
      method,
      path,
      tag,
      summary,
      role,
      params: (rest.params ?? nothing) as P,
      query: (rest.query ?? nothing) as Q,
      body: (rest.body ?? noBody) as B,
      answer,
    };
  };
}
