import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { TocsinError } from '@tocsin/core';
import { logger } from '@tocsin/telemetry';
import { throwError, type Observable } from 'rxjs';
import { toProblem, type Problem } from './problem.ts';

/** The part of Fastify's reply that is used here. */
interface Reply {
  readonly sent: boolean;
  header(name: string, value: string): Reply;
  code(status: number): Reply;
  type(contentType: string): Reply;
  send(body: string): unknown;
}

const DEFAULT_RETRY_AFTER_S = 1;
const log = logger('http');

/** Answers HTTP requests that failed with a problem; errors of message handlers are left to the transport. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): Observable<never> | undefined {
    if (host.getType() !== 'http') return throwError(() => error);
    const problem = toProblem(error);
    if (problem.code === 'internal') log.error({ err: error }, 'a request failed unexpectedly');
    const reply = host.switchToHttp().getResponse<Reply>();
    if (!reply.sent) answer(reply, problem, error);
    return undefined;
  }
}

function answer(reply: Reply, problem: Problem, error: unknown): void {
  if ([429, 503, 504].includes(problem.status)) reply.header('retry-after', String(retryAfterSeconds(error)));
  reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

function retryAfterSeconds(error: unknown): number {
  const ms = error instanceof TocsinError ? Number(error.details?.['retryAfterMs']) : Number.NaN;
  return Number.isFinite(ms) ? Math.max(1, Math.ceil(ms / 1000)) : DEFAULT_RETRY_AFTER_S;
}
