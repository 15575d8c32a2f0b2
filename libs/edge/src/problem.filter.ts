import { type ArgumentsHost, Catch, type ExceptionFilter, NotFoundException } from '@nestjs/common';
import { TRACE_HEADER } from '@tocsin/service';
import { logger } from '@tocsin/telemetry';
import { throwError, type Observable } from 'rxjs';
import type { EdgeReply, EdgeRequest } from './call.ts';
import { EdgeRefusal, refusalOf } from './problem.ts';
import { methodsAt } from './route-match.ts';

const log = logger('edge');

/** Answers every request that failed with a problem (RFC 9457). */
@Catch()
export class EdgeProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): Observable<never> | undefined {
    if (host.getType() !== 'http') return throwError(() => error);
    const http = host.switchToHttp();
    sendProblem(error, http.getRequest<EdgeRequest>(), http.getResponse<EdgeReply>());
    return undefined;
  }
}

/** Also for what Fastify refuses before Nest sees it. */
export function sendProblem(error: unknown, request: EdgeRequest, reply: EdgeReply): void {
  const traceId = String(reply.getHeader(TRACE_HEADER) ?? reply.raw.getHeader(TRACE_HEADER));
  const path = request.url.split('?', 1)[0]!;
  const { problem, headers } = refusalOf(isUnrouted(error, request) ? unrouted(request.method, path) : error);
  if (problem.code === 'internal') {
    // The route and not the path: a path may hold a push key.
    log.error({ err: error, route: request.routeOptions.url, trace: traceId }, 'a request failed unexpectedly');
  }
  if (reply.sent) return;
  void reply.code(problem.status).headers({ 'cache-control': 'no-store', ...headers });
  void reply.type('application/problem+json; charset=utf-8');
  void reply.send(JSON.stringify({ ...problem, instance: path.slice(0, 500), traceId }));
}

/** Nest says 404 for what no route takes; what a handler does not find is a TocsinError. */
function isUnrouted(error: unknown, request: EdgeRequest): boolean {
  return error instanceof NotFoundException && request.call === undefined;
}

function unrouted(method: string, path: string): EdgeRefusal {
  const methods = methodsAt(path);
  if (methods.length === 0) {
    return new EdgeRefusal('not_found', 'Nothing is offered at this path. /v1/openapi.json says what is.');
  }
  return new EdgeRefusal('method_not_allowed', `${method} is not offered here, but ${methods.join(', ')}.`, {
    headers: { allow: methods.join(', ') },
  });
}
