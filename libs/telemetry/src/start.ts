import { hostname } from 'node:os';
import type { MeterProvider } from '@opentelemetry/sdk-metrics';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  type Resource,
} from '@opentelemetry/resources';
import { within } from '@tocsin/core';
import { exportedBy } from './exported.ts';
import { instance, nameInstance } from './instance.ts';
import { DIAGNOSTICS, logger, resetLogger } from './logger.ts';
import { startMetrics } from './metrics.ts';
import type { RunningSdk } from './sdk.ts';

const DEFAULT_CHECK_RATIO = 0.01;
const FLUSH_BOUND_MS = 2000;

let meterProvider: MeterProvider | undefined;
let sdk: RunningSdk | undefined;

/**
 * Names the process and starts metrics and, where OpenTelemetry's variables say that something is exported, its SDK. It
 * must run before any module is loaded that makes instruments, so every `main.ts` awaits it first and imports the rest
 * after it.
 */
export async function startTelemetry(service: string): Promise<void> {
  if (meterProvider) return;
  nameInstance(service, process.env);
  resetLogger();
  const resource = describeInstance();
  const exported = exportedBy(process.env);
  if (exported.traces || exported.logs || exported.metrics.length > 0) {
    const { startSdk } = await import('./sdk.ts');
    sdk = startSdk(resource, exported, checkRatio(process.env['TOCSIN_TRACE_CHECK_RATIO']));
  }
  meterProvider = startMetrics(resource, sdk?.readers);
}

/** Sends what is still queued and stops. Takes at most 2 s, whether a collector listens or not. */
export async function stopTelemetry(): Promise<void> {
  const stopping = Promise.all([ended(sdk?.shutdown()), ended(meterProvider?.shutdown())]);
  sdk = undefined;
  meterProvider = undefined;
  await within(stopping, FLUSH_BOUND_MS, () => undefined);
}

async function ended(shutdown: Promise<void> | undefined): Promise<void> {
  await shutdown?.catch((err: unknown) => {
    logger(DIAGNOSTICS).warn({ err }, 'what was queued at the end could not be exported');
  });
}

/** Who reports. OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win over what Tocsin says of itself. */
function describeInstance(): Resource {
  const own = resourceFromAttributes({
    'service.name': instance.service,
    'service.namespace': 'tocsin',
    'service.version': instance.version,
    'service.instance.id': instance.id,
    'host.name': hostname(),
  });
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
}

function checkRatio(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_CHECK_RATIO;
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return ratio;
  logger('telemetry').warn(`TOCSIN_TRACE_CHECK_RATIO must be a number from 0 to 1; ${DEFAULT_CHECK_RATIO} is used`);
  return DEFAULT_CHECK_RATIO;
}
