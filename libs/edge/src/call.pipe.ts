import { Inject, Injectable, type PipeTransform } from '@nestjs/common';
import { fieldErrors, type FieldProblem, id, type Route } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import { CONFIG } from '@tocsin/service';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Call, EdgeRequest } from './call.ts';
import type { EdgeConfig } from './edge.config.ts';
import { idempotencyKey, requestHash } from './idempotency.ts';
import { canonical, parseJson } from './json.ts';
import { preconditionsOf } from './preconditions.ts';
import { EdgeRefusal } from './problem.ts';

/** Makes a request that the guard has admitted a `Call`: everything that it brings, parsed by the schemas of its route. */
@Injectable()
export class CallPipe implements PipeTransform<EdgeRequest, Call> {
  constructor(@Inject(CONFIG) private readonly config: EdgeConfig) {}

  /**
   * @throws EdgeRefusal `invalid` with the path of every bad field, `unsupported_type`; TocsinError `invalid`, `too_large`,
   *   `stale`
   */
  transform(request: EdgeRequest): Call {
    const { admission, headers, method } = request;
    if (!admission) throw new Error('A handler of a route runs behind EdgeGuard: import EdgeModule.');
    const { route } = admission;
    const params = parsePart(route.params, request.params, 'path');
    const query = parsePart(route.query, request.query, 'query');
    const { value, text } = bodyOf(route, request);
    const body = parsePart(route.body, value);
    const preconditions = preconditionsOf(route, headers);
    const key = route.method === 'GET' ? undefined : idempotencyKey(headers);
    const hash = requestHash(this.config.requestKeys, {
      method: route.method,
      path: pathOf(route, params as Record<string, unknown>),
      ifRevision: preconditions.ifRevision,
      body: text,
    });
    return {
      ...admission,
      params,
      query,
      body,
      preconditions,
      operation: { key, requestHash: hash },
      headers,
      head: method === 'HEAD',
    };
  }
}

/** The path as it is meant: identifiers in lower case, without a slash at its end. */
function pathOf(route: Route, params: Record<string, unknown>): string {
  return route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));
}

function parsePart(schema: z.ZodType, value: unknown, place?: FieldProblem['in']): unknown {
  if (place) canonical(value, place);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = fieldErrors(parsed.error);
  throw EdgeRefusal.fields(place ? fields.map((field) => ({ in: place, ...field })) : fields);
}

function bodyOf(route: Route, request: FastifyRequest): { value: unknown; text: string } {
  if (route.bodyTypes.includes('*/*')) {
    const value = typeof request.body === 'string' ? request.body : '';
    return { value, text: JSON.stringify(value) };
  }
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (bytes.length > route.bodyBytes) {
    throw new TocsinError(
      'too_large',
      `The body has ${bytes.length} bytes; at most ${route.bodyBytes} are taken here.`,
    );
  }
  if (bytes.length === 0) return { value: undefined, text: '' };
  if (route.method === 'GET') throw new TocsinError('invalid', 'A GET takes no body.');
  requireType(route, request.headers['content-type']);
  const value = idsInLowerCase(parseJson(bytes));
  const text = canonical(value);
  // Clients that always send a body send an empty object where none is taken.
  const takesNone = route.body.safeParse(undefined).success && !route.body.safeParse({}).success;
  return takesNone && text === '{}' ? { value: undefined, text: '' } : { value, text };
}

/** The same request in upper case is the same request, also where it is recognised by its body. */
function idsInLowerCase(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('channels' in value) || !Array.isArray(value.channels))
    return value;
  return { ...value, channels: value.channels.map((one: unknown) => id.safeParse(one).data ?? one) };
}

function requireType(route: Route, header: string | undefined): void {
  const [type, ...parameters] = (header ?? '').toLowerCase().split(';');
  const charset = parameters.map((part) => /^\s*charset="?([^";\s]+)"?\s*$/.exec(part)?.[1]).find(Boolean);
  const isUtf8 = charset === undefined || charset === 'utf-8' || charset === 'utf8';
  if (route.bodyTypes.includes((type ?? '').trim()) && isUtf8) return;
  throw new EdgeRefusal(
    'unsupported_type',
    `The body must be ${route.bodyTypes.join(' or ')} in UTF-8. Set Content-Type accordingly.`,
    { headers: { accept: route.bodyTypes.join(', ') } },
  );
}
