import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { HIDDEN, type Route, timesAsText } from '@tocsin/contracts';
import { finalize, map, type Observable } from 'rxjs';
import type { Readable } from 'node:stream';
import type { Answer } from './answer.ts';
import type { EdgeReply, EdgeRequest } from './call.ts';
import { isUnchanged, preconditionsOf } from './preconditions.ts';
import { RequestSlots } from './request-slots.ts';

/** What sealing makes is longer than this: a name may well begin like it. */
const SEALED = /sealed:v\d:[A-Za-z0-9_:-]{38,}/g;

/** Writes what a handler answers as the response, 304 where the caller has it; then its request no longer counts as running. */
@Injectable()
export class AnswerInterceptor implements NestInterceptor {
  constructor(private readonly slots: RequestSlots) {}

  intercept(context: ExecutionContext, next: CallHandler<Answer>): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const http = context.switchToHttp();
    const { admission, headers } = http.getRequest<EdgeRequest>();
    if (!admission) return next.handle();
    const { route } = admission;
    return next.handle().pipe(
      map((answer) => {
        const etag = answer.headers?.['etag'];
        const unchanged = etag !== undefined && isUnchanged(preconditionsOf(route, headers), etag);
        return write(http.getResponse<EdgeReply>(), unchanged ? { ...answer, status: 304 } : answer, route);
      }),
      finalize(() => this.slots.release()),
    );
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
  return withoutSecrets(JSON.stringify(timesAsText(route.answer)(answer.body)));
}

/** The last line of defence: whatever a handler answers, no sealed secret leaves. */
export function withoutSecrets(text: string): string {
  return text.includes('sealed:v') ? text.replaceAll(SEALED, HIDDEN) : text;
}
