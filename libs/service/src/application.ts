import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { JetStreamTransport, type Messaging } from '@tocsin/messaging';
import { NestLogger } from '@tocsin/telemetry';
import type { DynamicModule } from '@nestjs/common';
import type { FastifyServerOptions } from 'fastify';
import { createServer, type RequestListener } from 'node:http';
import type { HttpServer } from './http-server.ts';
import { traceRequests } from './http.tracing.ts';
import { retryUntilReady } from './retry-until-ready.ts';
import { CONFIG } from './tokens.ts';

export interface HttpSettings {
  /** More options for Fastify. */
  fastify?: FastifyServerOptions;
  /** Called with the application before it starts: to add hooks, parsers, static files. */
  configure?: (app: NestFastifyApplication) => Promise<void> | void;
}

export interface Application {
  app: NestFastifyApplication;
  transport: JetStreamTransport;
}

const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Builds the Nest application behind `server`, with its handlers on the broker. It does not consume yet.
 * When a part of it can't start because a server is away, it is taken down, so that the caller can build it again.
 */
export async function buildApplication(
  root: DynamicModule,
  messaging: Messaging,
  server: HttpServer,
  http: HttpSettings = {},
): Promise<Application> {
  let listener: RequestListener | undefined;
  const adapter = adapterWith(http, (handler) => {
    listener = handler;
  });
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger: new NestLogger(),
    abortOnError: false,
  });
  try {
    traceRequests(app);
    await http.configure?.(app);
    const transport = new JetStreamTransport(messaging, app.get<object>(CONFIG));
    app.connectMicroservice({ strategy: transport }, { inheritAppConfig: true });
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    if (listener) server.serve(listener, http.fastify?.requestTimeout);
    return { app, transport };
  } catch (error) {
    await app.close().catch(() => undefined);
    throw error;
  }
}

/** Fastify without a socket of its own: requests come from `HttpServer`, which was listening long before. */
function adapterWith(http: HttpSettings, use: (handler: RequestListener) => void): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: MAX_BODY_BYTES,
    ...http.fastify,
    serverFactory: (handler: RequestListener) => {
      use(handler);
      return createServer();
    },
  });
}

/** Starts the handlers of messages. The broker may be away: it is waited for. */
export async function startTaking({ app, transport }: Application, stopped: AbortSignal): Promise<void> {
  let registered = false;
  await retryUntilReady('NATS to accept streams and consumers', stopped, async () => {
    if (registered) return listen(transport);
    registered = true;
    await app.startAllMicroservices();
  });
}

function listen(transport: JetStreamTransport): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: unknown): void => (error instanceof Error ? reject(error) : resolve());
    Promise.resolve(transport.listen(done)).catch(reject);
  });
}
