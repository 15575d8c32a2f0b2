import { context, metrics, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import type { FastifyServer } from './http-application.ts';
import { traceOf } from '@tocsin/telemetry';

const spans = new WeakMap<object, Span>();

/** Gives every request to the application a server span that continues the caller's trace, and times it. */
export function traceRequests(fastify: FastifyServer): void {
  const tracer = trace.getTracer('tocsin');
  const duration = metrics.getMeter('tocsin').createHistogram('tocsin_http_request_seconds', {
    description: 'Time to answer a REST request, by route and status',
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url ?? 'unknown route';
    const parent = traceOf(request.headers);
    const attributes = { 'http.request.method': request.method, 'http.route': route };
    const span = tracer.startSpan(`${request.method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent);
    spans.set(request, span);
    context.with(trace.setSpan(parent, span), done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request);
    span?.setAttribute('http.response.status_code', reply.statusCode);
    if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
    const route = request.routeOptions.url ?? 'unknown route';
    duration.record(reply.elapsedTime / 1000, { method: request.method, route, status: reply.statusCode });
    done();
  });
}
