import { afterEach, describe, expect, it } from 'vitest';
import { startCollector, startSilentCollector } from './otlp.ts';
import { runProcess } from './process.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function collector() {
  const started = await startCollector();
  closers.push(started.close);
  return started;
}

describe('tracing', () => {
  it('sends spans with the instance that made them, in one trace, before the process ends', async () => {
    const { url, spans, resourceAttribute } = await collector();
    await runProcess(
      `startTelemetry('toy');
       await withSpan('outer', {}, () => withSpan('inner', {}, () => 1));
       await stopTelemetry(); process.exit(0);`,
      { OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/`, TOCSIN_INSTANCE: 'toy-1' },
    );
    const [inner, outer] = ['inner', 'outer'].map((name) => spans().find((span) => span.name === name));
    expect(inner?.traceId).toBe(outer?.traceId);
    expect(inner?.parentSpanId).toBe(outer?.spanId);
    expect(resourceAttribute('service.name')).toBe('toy');
    expect(resourceAttribute('service.instance.id')).toBe('toy-1');
  });

  it('marks a fault as an error of the span, and a refusal not', async () => {
    const { url, spans } = await collector();
    await runProcess(
      `const { TocsinError } = await import('@tocsin/core');
       startTelemetry('toy');
       for (const code of ['not_found', 'unavailable']) {
         await withSpan(code, {}, () => { throw new TocsinError(code, 'x'); }).catch(() => undefined);
       }
       await withSpan('defect', {}, () => { throw new Error('x'); }).catch(() => undefined);
       await stopTelemetry();`,
      { OTEL_EXPORTER_OTLP_ENDPOINT: url },
    );
    const failed = Object.fromEntries(spans().map((span) => [span.name, span.status.code === 2]));
    expect(failed).toEqual({ not_found: false, unavailable: true, defect: true });
  });

  it('begins a new trace where it is told to', async () => {
    const { url, spans } = await collector();
    await runProcess(
      `startTelemetry('toy');
       await withSpan('outer', {}, () => withSpan('apart', { root: true }, () => 1));
       await stopTelemetry();`,
      { OTEL_EXPORTER_OTLP_ENDPOINT: url },
    );
    const apart = spans().find((span) => span.name === 'apart');
    expect(apart).toBeDefined();
    expect(apart?.parentSpanId).toBeUndefined();
  });

  it('keeps no trace of a check at ratio 0, and every one at ratio 1', async () => {
    const { url, spans } = await collector();
    const body = `startTelemetry('toy'); await withSpan('check http', {}, () => 1); await stopTelemetry();`;
    await runProcess(body, { OTEL_EXPORTER_OTLP_ENDPOINT: url, TOCSIN_TRACE_CHECK_RATIO: '0' });
    expect(spans()).toHaveLength(0);
    await runProcess(body, { OTEL_EXPORTER_OTLP_ENDPOINT: url, TOCSIN_TRACE_CHECK_RATIO: '1' });
    expect(spans()).toHaveLength(1);
  });

  it('puts the ids of the trace into the log', async () => {
    const { url, spans } = await collector();
    const { lines } = await runProcess(
      `startTelemetry('toy');
       await withSpan('work', {}, () => logger('x').info('inside'));
       logger('x').info('outside');
       await stopTelemetry();`,
      { OTEL_EXPORTER_OTLP_ENDPOINT: url },
    );
    const [inside, outside] = ['inside', 'outside'].map((msg) => lines.find((line) => line['msg'] === msg));
    expect(inside).toMatchObject({ trace_id: spans()[0]?.traceId, span_id: spans()[0]?.spanId });
    expect(outside).not.toHaveProperty('trace_id');
  });
});

describe('stopTelemetry', () => {
  const body = `startTelemetry('toy');
    await withSpan('work', {}, () => 1);
    const before = performance.now();
    await stopTelemetry();
    logger('x').info({ took: performance.now() - before }, 'stopped');
    process.exit(0);`;
  const tookOf = (lines: Record<string, unknown>[]) => lines.find((line) => line['msg'] === 'stopped')?.['took'];

  it('takes at most 2 s when no collector listens', async () => {
    const { lines } = await runProcess(body, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    expect(tookOf(lines)).toBeLessThan(2_200);
  });

  it('takes at most 2 s when the collector never answers', async () => {
    const { url, close } = await startSilentCollector();
    closers.push(close);
    const { lines } = await runProcess(body, { OTEL_EXPORTER_OTLP_ENDPOINT: url });
    expect(tookOf(lines)).toBeLessThan(2_200);
  });

  it('takes no time without tracing', async () => {
    const { lines } = await runProcess(body, { OTEL_EXPORTER_OTLP_ENDPOINT: '' });
    expect(tookOf(lines)).toBeLessThan(100);
  });
});
