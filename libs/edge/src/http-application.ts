import { createServer, type RequestListener } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { MAX_BODY_BYTES } from '@tocsin/contracts';
import { JetStreamTransport, Messaging } from '@tocsin/messaging';
import { CONFIG, type CreateApplication, TRACE_HEADER } from '@tocsin/service';
import { NestLogger } from '@tocsin/telemetry';
import type { FastifyServerOptions } from 'fastify';
import { sendProblem } from './problem.filter.ts';
import { traceRequests } from './request-tracing.ts';

/** Fastify, to which a service may add hooks and parsers before its routes are there. */
export type FastifyServer = ReturnType<ReturnType<NestFastifyApplication['getHttpAdapter']>['getInstance']>;

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/**
 * Makes the application of a service that answers HTTP beside messages: Fastify behind the service's HTTP server. Bodies
 * stay bytes until their route is known, and every refusal is a problem.
 * @param configure called with Fastify before any route is added
 */
export function httpApplication(configure: (fastify: FastifyServer) => void = () => undefined): CreateApplication {
  return async (root) => {
    const { adapter, listener } = fastifyBehindServer();
    const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
      logger: new NestLogger(),
      abortOnError: false,
    });
    const fastify = adapter.getInstance();
    traceRequests(fastify);
    fastify.removeAllContentTypeParsers();
    app.useBodyParser('*', { bodyLimit: MAX_BODY_BYTES });
    configure(fastify);
    addHeaders(fastify);
    const transport = new JetStreamTransport(app.get(Messaging), app.get<object>(CONFIG));
    app.connectMicroservice({ strategy: transport }, { inheritAppConfig: true });
    return {
      app,
      transport,
      init: () => app.init(),
      serve: async (server) => {
        await fastify.ready();
        server.serve(listener());
      },
    };
  };
}

/** Fastify without a socket of its own: requests come from the `HttpServer`, which has been listening for long. */
function fastifyBehindServer(): { adapter: FastifyAdapter; listener: () => RequestListener } {
  let listener: RequestListener | undefined;
  const options: FastifyServerOptions = {
    bodyLimit: MAX_BODY_BYTES,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply.headers(SECURITY_HEADERS)),
    serverFactory: (handler: RequestListener) => {
      listener = handler;
      return createServer();
    },
  };
  return { adapter: new FastifyAdapter(options), listener: () => listener! };
}

function addHeaders(fastify: FastifyServer): void {
  fastify.addHook('onRequest', (_request, reply, done) => {
    // Where spans are made, theirs counts; else the one that the answer has already.
    const span = trace.getActiveSpan()?.spanContext();
    if (span && isSpanContextValid(span)) void reply.header(TRACE_HEADER, span.traceId);
    void reply.headers(SECURITY_HEADERS);
    done();
  });
}
