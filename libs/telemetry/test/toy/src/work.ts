import { context, metrics, propagation } from '@opentelemetry/api';
import { TocsinError } from '@tocsin/core';
import { logger, metricsText, stopTelemetry, withSpan } from '@tocsin/telemetry';

const checks = metrics.getMeter('tocsin').createCounter('tocsin_toy_checks_total');
const log = logger('toy');

/** Does one of everything that telemetry reports, says what it cost, and stops. */
export async function work(): Promise<void> {
  const carried: Record<string, string> = {};
  await withSpan('GET /toys', {}, async () => {
    const baggage = propagation.createBaggage({ client: { value: 'secret' } });
    propagation.inject(propagation.setBaggage(context.active(), baggage), carried);
    await withSpan('inner', {}, () => log.warn({ password: 'hunter2', size: 3 }, 'inside'));
  });
  await withSpan('check http', {}, () => checks.add(1, { kind: 'http' }));
  await withSpan('refused', {}, () => Promise.reject(new TocsinError('not_found', 'none'))).catch(() => undefined);
  await withSpan('broken', {}, () => Promise.reject(new Error('a defect'))).catch(() => undefined);
  log.error({ err: new Error('no route to postgres://u:hunter2@db') }, 'lost');
  const { body } = await metricsText();
  globalThis.gc?.();
  const rssMb = Math.round(process.memoryUsage.rss() / 1e5) / 10;
  const startedMs = Math.round(performance.now());
  log.info({ carried: Object.keys(carried), metrics: body, startedMs, rssMb }, 'done');
  await stopTelemetry();
  process.exit(0);
}
