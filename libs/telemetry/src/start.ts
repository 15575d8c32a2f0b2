import type { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { TracerProvider } from '@opentelemetry/sdk-trace';
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import { instance, nameInstance } from './instance.ts';
import { logger, resetLogger } from './logger.ts';
import { startMetrics } from './metrics.ts';
import { startTracing } from './tracing.ts';

const DEFAULT_CHECK_RATIO = 0.01;
const FLUSH_BOUND_MS = 2000;

let meterProvider: MeterProvider | undefined;
let tracerProvider: TracerProvider | undefined;

/**
 * Names the process and starts metrics and, when OTEL_EXPORTER_OTLP_ENDPOINT is set, tracing. It must run before any
 * module is loaded that makes instruments, so it is the first line of every `main.ts`, with the rest imported after it.
 */
export function startTelemetry(service: string, env: NodeJS.ProcessEnv = process.env): void {
  if (meterProvider) return;
  nameInstance(service, env);
  resetLogger();
  const resource = describeInstance();
  meterProvider = startMetrics(resource);
  const endpoint = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (endpoint) tracerProvider = startTracing(endpoint, checkRatio(env['TOCSIN_TRACE_CHECK_RATIO']), resource);
}

/** Sends what is still queued and stops. Takes at most 2 s, whether a collector listens or not. */
export async function stopTelemetry(): Promise<void> {
  const stopping = Promise.allSettled([tracerProvider?.shutdown(), meterProvider?.shutdown()]);
  tracerProvider = undefined;
  meterProvider = undefined;
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FLUSH_BOUND_MS);
  });
  await Promise.race([stopping, bound]);
  clearTimeout(timer);
}

function describeInstance(): Resource {
  return resourceFromAttributes({
    'service.name': instance.service,
    'service.namespace': 'tocsin',
    'service.version': instance.version,
    'service.instance.id': instance.id,
  });
}

function checkRatio(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_CHECK_RATIO;
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return ratio;
  logger('telemetry').warn(`TOCSIN_TRACE_CHECK_RATIO must be a number from 0 to 1; ${DEFAULT_CHECK_RATIO} is used`);
  return DEFAULT_CHECK_RATIO;
}
