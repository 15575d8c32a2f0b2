import { describe, expect, it } from 'vitest';
import { runProcess } from './process.ts';

async function metricsOf(body: string): Promise<string> {
  const { lines } = await runProcess(
    `await startTelemetry('toy');
     const meter = api.metrics.getMeter('tocsin');
     ${body}
     const { body: text } = await metricsText();
     logger('x').info({ lines: text.split('\\n').filter((line) => !line.startsWith('#')).join('\\n') }, 'metrics');`,
    { TOCSIN_INSTANCE: 'toy-1' },
  );
  return String(lines.find((line) => line['msg'] === 'metrics')?.['lines']);
}

describe('metricsText', () => {
  it('shows instruments made through the OpenTelemetry API under their own names', async () => {
    const text = await metricsOf(`meter.createCounter('tocsin_checks_total').add(3, { kind: 'http' });`);
    expect(text).toContain('tocsin_checks_total{kind="http"} 3');
  });

  it('gives histograms of seconds bounds that fit seconds', async () => {
    const text = await metricsOf(`meter.createHistogram('tocsin_check_seconds').record(0.02);`);
    expect(text).toContain('tocsin_check_seconds_bucket{le="0.01"} 0');
    expect(text).toContain('tocsin_check_seconds_bucket{le="0.025"} 1');
  });

  it('shows memory, CPU and event loop lag of the process, and who it is', async () => {
    const text = await metricsOf(`await new Promise((resolve) => setTimeout(resolve, 250));`);
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(20e6);
    expect(value('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(value('nodejs_eventloop_lag_p99_seconds')).toBeLessThan(1);
    expect(text).toContain('service_instance_id="toy-1"');
  });
});
