import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type MessageHandler, Server } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { expect, it } from 'vitest';
import { double, type Job, jobs, make } from '../../test/harness.ts';
import type { CommandContext } from '../consume/command-consumer.ts';
import type { Delivery } from '../consume/delivery.ts';
import type { RequestContext } from '../consume/responder.ts';
import { Answers, bindingOf, CarriesOut, Consumes } from './decorators.ts';

interface Config {
  location: string;
  width: number;
}

const consumerOf = ({ location }: Config) => ({ ...jobs, durable: `worker-${location}` });
const widthOf = ({ width }: Config) => ({ concurrency: width });

@Controller()
class Handlers {
  @Consumes(jobs, { batch: 10, lingerMs: 5 })
  batch(deliveries: Delivery<Job>[]): number {
    return deliveries.length;
  }

  @Consumes(consumerOf, widthOf)
  single(job: Job, delivery: Delivery<Job>): unknown[] {
    return [job, delivery];
  }

  @Answers(double)
  answer(job: Job, context: RequestContext): Job {
    return { n: job.n + context.deadline };
  }

  @CarriesOut(make)
  carryOut(job: Job, _context: CommandContext): Promise<Job> {
    return Promise.resolve(job);
  }
}

/** What tsc must refuse: each `@ts-expect-error` fails the type check if it does not. */
class Mistakes {
  // @ts-expect-error: the payload is a Job
  @Consumes(jobs)
  wrongPayload(_job: { text: string }): void {}

  // @ts-expect-error: without a batch, the method receives one payload
  @Consumes(jobs, { concurrency: 8 })
  wrongBatch(_deliveries: Delivery<Job>[]): void {}

  // @ts-expect-error: with a batch, the method receives deliveries
  @Consumes(jobs, { batch: 10 })
  wrongSingle(_job: Job): void {}

  // @ts-expect-error: the payload is a Job, also when the consumer follows from the configuration
  @Consumes(consumerOf, widthOf)
  wrongConfigured(_job: { text: string }): void {}

  // @ts-expect-error: the input is a Job
  @Answers(double)
  wrongInput(_job: { text: string }): Job {
    return { n: 1 };
  }

  // @ts-expect-error: the answer is a Job
  @Answers(double)
  wrongAnswer(_job: Job): { text: string } {
    return { text: '' };
  }

  // @ts-expect-error: the context is that of a command
  @CarriesOut(make)
  wrongContext(_job: Job, _context: RequestContext): Job {
    return { n: 1 };
  }
}

class Recorder extends Server {
  on(): void {}
  unwrap<T>(): T {
    return undefined as T;
  }
  listen(callback: () => void): void {
    callback();
  }
  close(): void {}
}

async function handlers(): Promise<Map<string, MessageHandler>> {
  class App {}
  Module({ controllers: [Handlers] })(App);
  const app = await NestFactory.create(App, new FastifyAdapter(), { logger: false });
  const strategy = new Recorder();
  app.connectMicroservice({ strategy });
  await app.startAllMicroservices();
  return strategy.getHandlers();
}

it('a wrong payload, answer or context does not compile', () => {
  // The class exists for tsc, and its methods are bound all the same.
  expect(Object.getOwnPropertyNames(Mistakes.prototype)).toHaveLength(8);
});

it('each decorator binds its method to what the contract declares', async () => {
  const found = await handlers();
  expect([...found].map(([pattern, handler]) => [pattern, bindingOf(handler)])).toEqual([
    ['worker-jobs', { kind: 'consumer', consumer: jobs, options: { batch: 10, lingerMs: 5 } }],
    ['Handlers.single', { kind: 'consumer', consumer: consumerOf, options: widthOf }],
    ['maths.double', { kind: 'request', request: double, concurrency: undefined }],
    ['commands.worker.make', { kind: 'command', command: make }],
  ]);
});

it('a method receives the payload and the context without decorators of its parameters', async () => {
  const answer = (await handlers()).get('maths.double')!;
  const result = await answer({ n: 1 }, { deadline: 2 });
  expect(result).toMatchObject({ n: 3 });
});
