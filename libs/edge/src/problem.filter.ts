import { type ArgumentsHost, Catch, type ExceptionFilter, NotFoundException } from '@nestjs/common';
import { TRACE_HEADER } from '@tocsin/service';
import { logger } from '@tocsin/telemetry';
import { throwError, type Observable } from 'rxjs';
import type { EdgeReply, EdgeRequest } from './call.ts';
import { EdgeRefusal, refusalOf } from './problem.ts';
import { RouteTable } from './route-table.ts';

const log = logger('edge');

/** Answers every request that failed with a problem (RFC 9457). Errors of message handlers are left to the transport. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly routes: RouteTable) {}

  catch(error: unknown, host: ArgumentsHost): Observable<never> | undefined {
    if (host.getType() !== 'http') return throwError(() => error);
    const http = host.switchToHttp();
    const request = http.getRequest<EdgeRequest>();
    // Nest says 404 where no route matches; what a handler does not find is a TocsinError.
    const isUnrouted = error instanceof NotFoundException && request.admission === undefined;
    sendProblem(isUnrouted ? this.unrouted(request) : error, request, http.getResponse<EdgeReply>());
    return undefined;
  }

  private unrouted({ method, url }: EdgeRequest): EdgeRefusal {
    const methods = this.routes.methodsAt(pathOf(url));
    if (methods.length === 0) {
      return new EdgeRefusal('not_found', 'Nothing is offered at this path. /v1/openapi.json says what is.');
    }
    return new EdgeRefusal('method_not_allowed', `${method} is not offered here, but ${methods.join(', ')}.`, {
      headers: { allow: methods.join(', ') },
    });
  }
}

/** Answers with the problem for an error, also for what Fastify refuses before Nest sees it. */
export function sendProblem(error: unknown, request: EdgeRequest, reply: EdgeReply): void {
  const traceId = String(reply.getHeader(TRACE_HEADER) ?? reply.raw.getHeader(TRACE_HEADER));
  const { problem, headers } = refusalOf(error);
  if (problem.code === 'internal') {
    // The route and not the path: a path may hold a push key.
    log.error({ err: error, route: request.routeOptions.url, trace: traceId }, 'a request failed unexpectedly');
  }
  if (reply.sent) return;
  void reply.code(problem.status).headers({ 'cache-control': 'no-store', ...headers });
  void reply.type('application/problem+json; charset=utf-8');
  void reply.send(JSON.stringify({ ...problem, instance: pathOf(request.url).slice(0, 500), traceId }));
}

function pathOf(url: string): string {
  return url.split('?', 1)[0]!;
}
