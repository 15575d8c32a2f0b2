import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions, MicroserviceOptions, NestMicroservice } from '@nestjs/microservices';
import type { DynamicModule, INestApplicationContext } from '@nestjs/common';
import { JetStreamTransport, Messaging } from '@tocsin/messaging';
import { NestLogger } from '@tocsin/telemetry';
import type { HttpServer } from './http-server.ts';
import { retryUntilReady } from './retry-until-ready.ts';
import { CONFIG } from './tokens.ts';

/** Nest's application of a service, and the transport that brings it messages. */
export interface Application {
  readonly app: Pick<INestApplicationContext, 'close'>;
  readonly transport: JetStreamTransport;
  /** Registers the handlers and runs the hooks of the start. */
  init(): Promise<unknown>;
  /** Passes it the requests that reach the HTTP server. Absent where it answers none. */
  serve?(server: HttpServer): Promise<void>;
}

/** Makes the application of a service from its root module; it is neither initialized nor consuming then. */
export type CreateApplication = (root: DynamicModule) => Promise<Application>;

/** Makes an application whose handlers are all of messages: it needs no HTTP framework. */
export const messageApplication: CreateApplication = async (root) => {
  let transport: JetStreamTransport | undefined;
  const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(root, {
    inject: [Messaging, CONFIG],
    useFactory: (messaging: Messaging, config: object): MicroserviceOptions => ({
      strategy: (transport = new JetStreamTransport(messaging, config)),
    }),
    logger: new NestLogger(),
    abortOnError: false,
  });
  // As `listen` of Nest begins. `init` of a microservice runs each hook twice.
  return { app, transport: transport!, init: () => (app as NestMicroservice).registerModules() };
};

/**
 * Makes and initializes an application, and opens it to requests. When a part of it can't start because a server is down,
 * it is taken down, so that the caller can make it again.
 */
export async function startApplication(
  create: CreateApplication,
  root: DynamicModule,
  server: HttpServer,
): Promise<Application> {
  const application = await create(root);
  try {
    await application.init();
    if (application.serve) await application.serve(server);
    else server.serveNothing();
    return application;
  } catch (error) {
    await application.app.close().catch(() => undefined);
    throw error;
  }
}

/** Starts the handlers of messages, once the broker accepts their streams and consumers. */
export async function startTaking({ transport }: Application, stopped: AbortSignal): Promise<void> {
  await retryUntilReady('NATS to accept streams and consumers', stopped, () => listen(transport));
}

function listen(transport: JetStreamTransport): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: unknown): void => (error instanceof Error ? reject(error) : resolve());
    Promise.resolve(transport.listen(done)).catch(reject);
  });
}
