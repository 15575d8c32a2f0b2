import { context, propagation, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { natsServer, OtlpReceiver, postgres, until } from '@tocsin/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toyContract } from './toy/src/toy.contract.ts';
import { buildToy, connectTester, endToys, ToyProcess } from './toy.process.ts';

beforeAll(buildToy);
beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});
afterAll(endToys);

it(
  "one trace leads from the caller's request through the transaction and the outbox to the handler",
  { timeout: 30_000 },
  async () => {
    const [nats, database, receiver] = await Promise.all([natsServer(), postgres(), OtlpReceiver.start()]);
    try {
      const toy = new ToyProcess({
        TOCSIN_NATS_URLS: nats.url,
        TOCSIN_DATABASE_URL: database.urlFor('monitors'),
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        OTEL_BSP_SCHEDULE_DELAY: '200',
        TOCSIN_INSTANCE: 'toy-1',
      });
      await toy.untilStatus(200);
      const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
      const caller = { traceId, spanId: '00f067aa0ba902b7', traceFlags: TraceFlags.SAMPLED };
      const messaging = await connectTester(nats.url);
      await context.with(trace.setSpanContext(ROOT_CONTEXT, caller), () =>
        messaging.request(toyContract.requests.toyVisit, { id: 'v1' }),
      );
      await messaging.close();
      const handled = await toy.untilLogged('work done');
      expect(handled['trace_id']).toBe(traceId);
      const spans = await until(
        () => {
          const found = receiver.trace(traceId);
          if (found.some((span) => span.spanId === handled['span_id'])) return found;
          throw new Error(`span ${String(handled['span_id'])} is not among ${JSON.stringify(found)}`);
        },
        { timeoutMs: 12_000, what: `the spans of the trace to arrive; the log so far:\n${toy.output}` },
      );
      expect(spans.find((span) => span.parentSpanId === caller.spanId)).toMatchObject({ instance: 'toy-1' });
      const ids = new Set(['00f067aa0ba902b7', ...spans.map((span) => span.spanId)]);
      expect(spans.filter((span) => !ids.has(span.parentSpanId ?? ''))).toEqual([]);
    } finally {
      await receiver.stop();
    }
  },
);
