import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';
import { HIDDEN, type Route } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import { CONFIG } from '@tocsin/service';
import { from, lastValueFrom, type Observable } from 'rxjs';
import type { Readable } from 'node:stream';
import type { EdgeConfig } from './edge.config.ts';
import type { Answer } from './answer.ts';
import { type EdgeReply, type EdgeRequest, ROUTE } from './call.ts';
import { Door } from './door.ts';
import { isUnchanged } from './preconditions.ts';

/** What sealing makes is longer than this: a name may well begin like it. */
const SEALED = /sealed:v\d:[A-Za-z0-9_:-]{38,}/g;

/** Around every REST handler: bounds how many run, admits the request before, and writes the response after. */
@Injectable()
export class EdgeInterceptor implements NestInterceptor {
  private running = 0;

  constructor(
    private readonly door: Door,
    @Inject(CONFIG) private readonly config: EdgeConfig,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler<Answer>): Observable<unknown> {
    const route = Reflect.getMetadata(ROUTE, context.getHandler()) as Route | undefined;
    if (context.getType() !== 'http' || !route) return next.handle();
    const http = context.switchToHttp();
    return from(this.serve(route, next, [http.getRequest<EdgeRequest>(), http.getResponse<EdgeReply>()]));
  }

  private async serve(
    route: Route,
    next: CallHandler<Answer>,
    [request, reply]: [EdgeRequest, EdgeReply],
  ): Promise<string | Readable | undefined> {
    if (this.running >= this.config.maxRequests) {
      throw new TocsinError('unavailable', 'Too many requests are being worked on here. Try again in a moment.');
    }
    this.running++;
    try {
      const call = (request.call = await this.door.admit(route, request, reply));
      const answer = await lastValueFrom(next.handle());
      if (isUnchanged(call.preconditions, answer.headers?.['etag'])) answer.status = 304;
      return write(reply, answer, route);
    } finally {
      this.running--;
    }
  }
}

function write(reply: EdgeReply, answer: Answer, route: Route): string | Readable | undefined {
  const status = answer.status ?? route.status;
  void reply.code(status);
  void reply.header('cache-control', route.etag && route.method === 'GET' ? 'private, no-cache' : 'no-store');
  void reply.headers(answer.headers ?? {});
  if (answer.stream) return answer.stream;
  if (status === 204 || status === 304 || answer.body === undefined) return undefined;
  void reply.type('application/json; charset=utf-8');
  return withoutSecrets(JSON.stringify(answer.body));
}

/** The last line of defence: whatever a handler answers, no sealed secret leaves. */
export function withoutSecrets(text: string): string {
  return text.includes('sealed:v') ? text.replaceAll(SEALED, HIDDEN) : text;
}
