import { isSpanContextValid, trace } from '@opentelemetry/api';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { MAX_BODY_BYTES } from '@tocsin/contracts';
import { sendProblem } from '@tocsin/edge';
import { type HttpSettings, TRACE_HEADER } from '@tocsin/service';
import { takePings } from './heartbeats/ping-body.ts';

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/** How the gateway speaks HTTP: bodies stay bytes until their route is known, and every refusal is a problem. */
export const edgeHttp: HttpSettings = {
  fastify: {
    bodyLimit: MAX_BODY_BYTES,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply.headers(SECURITY_HEADERS)),
  },
  configure: (app) => {
    takeBytes(app);
    addHeaders(app);
  },
};

function takeBytes(app: NestFastifyApplication): void {
  app.getHttpAdapter().getInstance().removeAllContentTypeParsers();
  app.useBodyParser('*', { bodyLimit: MAX_BODY_BYTES });
  takePings(app.getHttpAdapter().getInstance());
}

function addHeaders(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (_request, reply, done) => {
      // Where spans are made, theirs counts; else the one that the answer has already.
      const span = trace.getActiveSpan()?.spanContext();
      if (span && isSpanContextValid(span)) void reply.header(TRACE_HEADER, span.traceId);
      void reply.headers(SECURITY_HEADERS);
      done();
    });
}
