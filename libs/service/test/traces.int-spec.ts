import { natsServer, OtlpReceiver, postgres, until } from '@tocsin/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildToy, endToys, ToyProcess } from './toy.process.ts';

beforeAll(buildToy);
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
      await toy.get('/visits', {
        method: 'POST',
        headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
        body: JSON.stringify({ id: 'v1' }),
      });
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
      expect(spans.find((span) => span.name === 'POST /visits')).toMatchObject({
        parentSpanId: '00f067aa0ba902b7',
        instance: 'toy-1',
        attributes: { 'http.route': '/visits', 'http.response.status_code': 201 },
      });
      const ids = new Set(['00f067aa0ba902b7', ...spans.map((span) => span.spanId)]);
      expect(spans.filter((span) => !ids.has(span.parentSpanId ?? ''))).toEqual([]);
    } finally {
      await receiver.stop();
    }
  },
);

it('a problem names the trace of its request', async () => {
  const [nats, receiver] = await Promise.all([natsServer(), OtlpReceiver.start()]);
  try {
    const toy = new ToyProcess({ TOCSIN_NATS_URLS: nats.url, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
    await toy.untilStatus(200);
    const { body } = await toy.get('/defect');
    const logged = await toy.untilLogged('a request failed unexpectedly');
    expect(body['instance']).toBe(`urn:trace:${String(logged['trace_id'])}`);
  } finally {
    await receiver.stop();
  }
});
