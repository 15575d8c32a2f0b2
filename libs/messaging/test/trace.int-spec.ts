import { Controller } from '@nestjs/common';
import { context, propagation, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { TracerProvider, InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { newId, systemClock, TocsinError } from '@tocsin/core';
import { natsServer, until } from '@tocsin/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Answers, CarriesOut, Consumes, type Delivery, HandBack, Messaging } from '../src/index.ts';
import { client, contract, double, instance, type Job, jobs, make } from './harness.ts';

const exporter = new InMemorySpanExporter();
const tracer = trace.getTracer('test');
let behave: () => void = () => undefined;
let handled = 0;
const batches = { ...jobs, durable: 'worker-batches', stream: 'BATCHES', filters: ['batches.>'] };

@Controller()
class Traced {
  constructor(private readonly messaging: Messaging) {}

  @Consumes(jobs)
  async job(job: Job): Promise<void> {
    handled++;
    behave();
    await this.messaging.publish('batches.x', job, { id: newId() });
  }

  @Consumes(batches, { batch: 10, lingerMs: 50 })
  batch(deliveries: Delivery<Job>[]): void {
    handled += deliveries.length;
  }

  @Answers(double)
  double(job: Job): Job {
    behave();
    return job;
  }

  @CarriesOut(make)
  async make(job: Job): Promise<Job> {
    return this.messaging.request(double, job);
  }
}

let tester: Messaging;

beforeAll(async () => {
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const { url } = await natsServer();
  const extended = {
    ...contract,
    streams: [...contract.streams, { ...contract.streams[0]!, name: 'BATCHES', subjects: ['batches.>'] }],
  };
  tester = await client(url, { contract: extended });
  await instance(url, Traced, { contract: extended });
});

afterEach(() => {
  exporter.reset();
  handled = 0;
  behave = () => undefined;
});

/** Runs `act` inside a recorded span and returns that span's ids. */
async function inSpan<T>(act: () => Promise<T>): Promise<{ traceId: string; spanId: string }> {
  return tracer.startActiveSpan('test', async (span) => {
    try {
      await act();
    } finally {
      span.end();
    }
    return span.spanContext();
  });
}

const spans = () => exporter.getFinishedSpans();
const named = (name: string): ReadableSpan | undefined => spans().find((span) => span.name === name);
const parentOf = (span: ReadableSpan | undefined) =>
  spans().find((one) => one.spanContext().spanId === span?.parentSpanContext?.spanId);

describe('one trace', () => {
  it('goes from the publisher through the handler to what that publishes, and is linked by the batch', async () => {
    const root = await inSpan(() => tester.publish('jobs.1', { n: 1 }, { id: newId() }));
    const batch = await until(() => named('worker-batches'), { what: 'the batch span' });
    const consumed = await until(() => named('worker-jobs'), { what: 'the consumer span' });
    expect(consumed).toMatchObject({ kind: SpanKind.CONSUMER });
    expect(parentOf(consumed)).toMatchObject({ name: 'publish jobs', kind: SpanKind.PRODUCER });
    expect(parentOf(parentOf(consumed))?.spanContext().spanId).toBe(root.spanId);
    const second = named('publish batches');
    expect(parentOf(second)).toBe(consumed);
    expect(batch.links.map((link) => link.context.spanId)).toEqual([second!.spanContext().spanId]);
    expect(batch.parentSpanContext).toBeUndefined();
  });

  it('goes from the caller through a command and the request that its handler asks', async () => {
    const root = await inSpan(() =>
      tester.command(make, { n: 1 }, { operationId: newId(), requestHash: 'h', deadline: systemClock.now() + 3_000 }),
    );
    const server = await until(() => named(double.subject), { what: 'the server span' });
    const path = [server];
    while (parentOf(path.at(-1))) path.push(parentOf(path.at(-1))!);
    expect(path.map(({ name }) => name)).toEqual([
      double.subject,
      `request ${double.subject}`,
      'worker-commands',
      'command commands.worker.make',
      'test',
    ]);
    expect(new Set(path.map((span) => span.spanContext().traceId))).toEqual(new Set([root.traceId]));
  });

  it('goes on from the headers that an outbox row carries', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    await tester.publish('jobs.1', { n: 1 }, { id: newId(), headers });
    const consumed = await until(() => named('worker-jobs'), { what: 'the consumer span' });
    expect(consumed.spanContext().traceId).toBe(traceId);
    expect(consumed.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    await until(() => named('worker-batches'), { what: 'all of it done' });
  });

  it('that is not sampled stays so on every hop', async () => {
    const unsampled = { traceId: newId().replaceAll('-', ''), spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.NONE };
    await context.with(trace.setSpanContext(context.active(), unsampled), () =>
      tester.publish('jobs.1', { n: 1 }, { id: newId() }),
    );
    await until(() => handled === 2, { what: 'handled and batched' });
    expect(spans()).toEqual([]);
  });
});

describe('a span', () => {
  it('is an error for a defect, and not for a refusal or a hand-back that was to be expected', async () => {
    behave = () => {
      throw new TocsinError('not_found', 'no such thing');
    };
    await inSpan(() => tester.request(double, { n: 1 }).catch(() => undefined));
    const refused = await until(() => named(double.subject), { what: 'the server span' });
    expect(refused.status.code).toBe(SpanStatusCode.UNSET);
    expect(refused.attributes).toMatchObject({ 'tocsin.error.code': 'not_found' });
    exporter.reset();
    let first = true;
    behave = () => {
      if (first) {
        first = false;
        throw new HandBack(0, 'busy');
      }
      throw new Error('a defect');
    };
    await inSpan(() => tester.publish('jobs.1', { n: 1 }, { id: newId() }));
    await until(() => spans().filter(({ name }) => name === 'worker-jobs').length >= 2, { what: 'both attempts' });
    const codes = spans()
      .filter(({ name }) => name === 'worker-jobs')
      .map(({ status }) => status.code);
    expect(codes.slice(0, 2)).toEqual([SpanStatusCode.UNSET, SpanStatusCode.ERROR]);
  });
});
