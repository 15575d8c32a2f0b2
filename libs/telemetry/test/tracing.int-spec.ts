import { OtlpReceiver, type OtlpReceiverOptions } from '@tocsin/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { runProcess } from './process.ts';

const receivers: OtlpReceiver[] = [];
afterEach(() => Promise.all(receivers.splice(0).map((receiver) => receiver.stop())));

async function receiving(options: OtlpReceiverOptions = {}): Promise<OtlpReceiver> {
  const receiver = await OtlpReceiver.start(options);
  receivers.push(receiver);
  return receiver;
}

describe('withSpan', () => {
  it('marks a fault as an error of the span, and a refusal not', async () => {
    const { endpoint, spans } = await receiving();
    await runProcess(
      `const { TocsinError } = await import('@tocsin/core');
       await startTelemetry('toy');
       for (const code of ['not_found', 'unavailable']) {
         await withSpan(code, {}, () => { throw new TocsinError(code, 'x'); }).catch(() => undefined);
       }
       await withSpan('defect', {}, () => { throw new Error('x'); }).catch(() => undefined);
       await stopTelemetry();`,
      { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    );
    const failed = Object.fromEntries(spans.map((span) => [span.name, span.failed]));
    expect(failed).toEqual({ not_found: false, unavailable: true, defect: true });
  });

  it('begins a new trace where it is told to', async () => {
    const { endpoint, spans } = await receiving();
    await runProcess(
      `await startTelemetry('toy');
       await withSpan('outer', {}, () => withSpan('apart', { root: true }, () => 1));
       await stopTelemetry();`,
      { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    );
    const apart = spans.find((span) => span.name === 'apart');
    expect(apart).toBeDefined();
    expect(apart?.parentSpanId).toBeUndefined();
  });

  it('gives its ids to the lines of the log on stdout', async () => {
    const { endpoint, spans } = await receiving();
    const { lines } = await runProcess(
      `await startTelemetry('toy');
       await withSpan('work', {}, () => logger('x').info('inside'));
       logger('x').info('outside');
       await stopTelemetry();`,
      { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    );
    const [inside, outside] = ['inside', 'outside'].map((msg) => lines.find((line) => line['msg'] === msg));
    expect(inside).toMatchObject({ trace_id: spans[0]?.traceId, span_id: spans[0]?.spanId });
    expect(outside).not.toHaveProperty('trace_id');
  });
});

describe('stopTelemetry', () => {
  const body = `await startTelemetry('toy');
    await withSpan('work', {}, () => 1);
    const before = performance.now();
    await stopTelemetry();
    logger('x').info({ took: performance.now() - before }, 'stopped');
    process.exit(0);`;
  const tookOf = (lines: Record<string, unknown>[]) => lines.find((line) => line['msg'] === 'stopped')?.['took'];
  /** The bound, and what a busy machine adds. An exporter without the bound retries for 10 s and more. */
  const SOON_MS = 5_000;
  const everything = { OTEL_LOGS_EXPORTER: 'otlp', OTEL_METRICS_EXPORTER: 'otlp' };

  it.each(['http/protobuf', 'grpc'])('takes at most 2 s when no collector listens (%s)', async (protocol) => {
    const { lines } = await runProcess(body, {
      ...everything,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    });
    expect(tookOf(lines)).toBeLessThan(SOON_MS);
  });

  it.each(['http/protobuf', 'grpc'])('takes at most 2 s when the collector never answers (%s)', async (protocol) => {
    const { endpoint } = await receiving({ silent: true, grpc: protocol === 'grpc' });
    const { lines } = await runProcess(body, {
      ...everything,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    });
    expect(tookOf(lines)).toBeLessThan(SOON_MS);
  });

  it('takes no time without tracing', async () => {
    const { lines } = await runProcess(body, { OTEL_EXPORTER_OTLP_ENDPOINT: '' });
    expect(tookOf(lines)).toBeLessThan(1_000);
  });
});
