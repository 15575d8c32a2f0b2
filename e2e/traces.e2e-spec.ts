import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import {
  ApiClient,
  atTheEnd,
  type CollectedSpan,
  OtlpReceiver,
  Sink,
  startTocsin,
  Target,
  until,
} from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';

let collector: OtlpReceiver;
let api: ApiClient;
let target: Target;
let sink: Sink;

/** The spans from the root down to one span, by parent. */
function ancestry(span: CollectedSpan): CollectedSpan[] {
  const parent = collector.spans.find(({ spanId }) => spanId === span.parentSpanId);
  return parent ? [...ancestry(parent), span] : [span];
}

const servicesOf = (spans: readonly CollectedSpan[]) => [...new Set(spans.map(({ service }) => service))];

describe('traces', { timeout: 60_000 }, () => {
  beforeAll(async () => {
    [collector, target, sink] = await Promise.all([OtlpReceiver.start(), Target.start(), Sink.start()]);
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_BSP_SCHEDULE_DELAY: '500',
      TOCSIN_TRACE_CHECK_RATIO: '1',
    };
    const tocsin = await startTocsin({ env });
    atTheEnd(async () => {
      await tocsin.stop();
      await Promise.all([collector.stop(), target.stop(), sink.stop()]);
    });
    api = new ApiClient(tocsin.gateways, tocsin.token);
  }, 180_000);

  it('follow a write from the REST call through the command to the database', async () => {
    const answer = await api.request<{ id: string }>('POST', '/v1/channels', {
      kind: 'webhook',
      name: 'sink',
      settings: { url: sink.url, secret: 'a receiver knows this' },
    });
    expect(answer.status).toBe(201);
    const traceId = answer.headers.get('tocsin-trace-id')!;
    const isWrite = ({ service, attributes }: CollectedSpan) =>
      service === 'monitors' && attributes['db.system.name'] === 'postgresql';
    // Each process exports on its own time: the road is whole once it leads back to the request.
    const road = await until(
      () =>
        collector
          .trace(traceId)
          .filter(isWrite)
          .map(ancestry)
          .find(([root]) => root?.parentSpanId === undefined),
      { what: 'the road from the request to the database write' },
    );
    expect(road[0]).toMatchObject({ service: 'gateway' });
    expect(servicesOf(road)).toEqual(['gateway', 'monitors']);
  });

  it('follow a window from its due time to the webhook, with links where batches fan in', async () => {
    const { items } = await api.get<{ items: { id: string }[] }>('/v1/channels');
    await api.post('/v1/monitors', {
      kind: 'http',
      name: 'traced',
      interval: '1s',
      timeout: '1s',
      channels: [items[0]!.id],
      settings: { url: target.url },
    });
    await until(() => target.hits > 0);
    target.answer(500);
    const arrival = await until(() => sink.arrivals.find(({ body }) => (body as { kind: string }).kind === 'opened'));
    const traceId = /^00-([0-9a-f]{32})-/.exec(String(arrival.headers['traceparent']))![1]!;
    const services = ['scheduler', 'prober', 'incidents', 'notifier'];
    await until(() => services.every((service) => servicesOf(collector.trace(traceId)).includes(service)), {
      what: `a trace through ${services.join(', ')}`,
    });
    const spans = collector.trace(traceId);
    const sent = await until(() => collector.trace(traceId).find(({ name }) => name === 'notify opened'));
    const road = ancestry(sent);
    expect(road[0]).toMatchObject({ name: 'check due', service: 'scheduler', parentSpanId: undefined });
    expect(servicesOf(road)).toEqual(services);
    expect(spans.filter(({ parentSpanId }) => parentSpanId === undefined).map(({ name }) => name)).toEqual([
      'check due',
    ]);
    const checked = spans.filter(({ service }) => service === 'prober').map(({ spanId }) => spanId);
    const batch = collector.spans.find(
      ({ service, links }) => service === 'incidents' && links.some((link) => link.traceId === traceId),
    );
    expect(checked.length).toBeGreaterThan(0);
    expect(batch).toBeDefined();
  });

  it('hold no secret', () => {
    expect(JSON.stringify(collector.spans)).not.toMatch(/tsn_[A-Za-z0-9_-]{20,}|Bearer |a receiver knows this/);
  });

  it('do not mark an expected refusal as an error', async () => {
    const answer = await api.request('GET', '/v1/monitors/00000000-0000-7000-8000-000000000000');
    expect(answer.status).toBe(404);
    const traceId = answer.headers.get('tocsin-trace-id')!;
    const spans = await until(() => collector.trace(traceId).length >= 2 && collector.trace(traceId));
    expect(spans.filter(({ failed }) => failed)).toEqual([]);
  });
});

describe('traces in Jaeger', { timeout: 180_000 }, () => {
  it('are found by its API', async (context) => {
    const onPath = ['jaeger', 'jaeger-v2', 'jaeger-all-in-one'].some((name) =>
      (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name))),
    );
    if (!onPath) return context.skip('no Jaeger binary on the PATH');
    const tocsin = await startTocsin({ env: { TOCSIN_TRACE_CHECK_RATIO: '1' } });
    atTheEnd(() => tocsin.stop());
    const answer = await new ApiClient(tocsin.gateways, tocsin.token).request('POST', '/v1/tokens', {
      name: 'traced',
      role: 'viewer',
    });
    const traceId = answer.headers.get('tocsin-trace-id')!;
    const names = await until(
      async () => {
        const response = await fetch(`${tocsin.runtime.jaeger}/api/traces/${traceId}`);
        const { data } = (await response.json()) as { data: { processes: Record<string, { serviceName: string }> }[] };
        const found = Object.values(data[0]?.processes ?? {}).map(({ serviceName }) => serviceName);
        return found.length >= 2 && found;
      },
      { timeoutMs: 20_000, what: 'the trace in Jaeger' },
    );
    expect(names.toSorted()).toEqual(['gateway', 'monitors']);
  });
});
