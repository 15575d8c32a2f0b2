import 'reflect-metadata';
import { type INestApplication, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { atTheEnd } from '@tocsin/testing';
import { newId } from '@tocsin/core';
import {
  type CommandSpec,
  type ConsumerSpec,
  type JetStreamTransport,
  Messaging,
  type MessagingContract,
  type MessagingOptions,
  type RequestSpec,
} from '../src/index.ts';
import { connectTransport, MessagingModule } from './messaging.module.ts';

export interface Job {
  n: number;
}

const jobSchema = {
  parse(input: unknown): Job {
    if (typeof input !== 'object' || input === null || typeof (input as Job).n !== 'number')
      throw new Error('n: not a number');
    return input as Job;
  },
};

export const jobs: ConsumerSpec<Job> = {
  durable: 'worker-jobs',
  stream: 'JOBS',
  filters: ['jobs.>'],
  schema: jobSchema,
  ackWaitMs: 1_000,
  maxDeliver: 2,
  backoffMs: [20],
  maxAckPending: 1_000,
};

export const double: RequestSpec<Job, Job> = {
  kind: 'request',
  subject: 'maths.double',
  input: jobSchema,
  output: jobSchema,
  timeoutMs: 2_000,
};
export const outer: RequestSpec<Job, Job> = { ...double, subject: 'maths.outer' };
export const make: CommandSpec<Job, Job> = {
  kind: 'command',
  service: 'worker',
  name: 'make',
  input: jobSchema,
  output: jobSchema,
};

export const contract: MessagingContract = {
  streams: [
    {
      name: 'JOBS',
      subjects: ['jobs.>'],
      retention: 'workqueue',
      storage: 'file',
      maxAgeMs: 3_600_000,
      maxBytes: 64 * 1_048_576,
      discard: 'new',
      duplicateWindowMs: 60_000,
    },
    {
      name: 'NEWS',
      subjects: ['news.>'],
      retention: 'limits',
      storage: 'file',
      maxAgeMs: 3_600_000,
      maxBytes: 64 * 1_048_576,
      discard: 'old',
      duplicateWindowMs: 60_000,
    },
  ],
  buckets: [{ name: 'notes', history: 1, maxBytes: 1_048_576, storage: 'file' }],
};

export function optionsFor(url: string, o: Partial<MessagingOptions> = {}): MessagingOptions {
  return { service: 'worker', instance: newId(), servers: [url], replicas: 1, contract, ...o };
}

/** A client without handlers, closed after the file. */
export async function client(url: string, o: Partial<MessagingOptions> = {}): Promise<Messaging> {
  const messaging = await Messaging.connect(optionsFor(url, { service: 'tester', ...o }));
  atTheEnd(() => messaging.close());
  return messaging;
}

export interface Instance {
  app: INestApplication;
  messaging: Messaging;
  transport: JetStreamTransport;
  close(): Promise<void>;
  /** Cuts the connection without settling anything, as a kill would. */
  crash(): Promise<void>;
}

/** One instance of a service with the given controller, as an app would run it. */
export async function instance(
  url: string,
  controller: Type | object,
  o: Partial<MessagingOptions> = {},
): Promise<Instance> {
  class App {}
  const fixed = typeof controller === 'function' ? undefined : controller;
  const type = (fixed ? fixed.constructor : controller) as Type;
  const providers = fixed ? [{ provide: type, useValue: fixed }] : [];
  Module({ imports: [MessagingModule.forRoot(optionsFor(url, o))], controllers: [type], providers })(App);
  const app = await NestFactory.create(App, new FastifyAdapter(), { logger: ['fatal'] });
  const transport = connectTransport(app);
  await app.startAllMicroservices();
  const messaging = app.get(Messaging);
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await app.close();
  };
  const crash = async (): Promise<void> => {
    closed = true;
    await messaging.connection.nats.close();
  };
  atTheEnd(close);
  return { app, messaging, transport, close, crash };
}

/** How often the connection was lost. */
export function losses(by: Messaging): { count: number } {
  const seen = { count: 0 };
  void (async () => {
    for await (const status of by.connection.nats.status()) if (status.type === 'disconnect') seen.count++;
  })();
  return seen;
}
