import { context, diag, DiagLogLevel, propagation, trace, type DiagLogger } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { Resource } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { logger } from './logger.ts';
import { tocsinSampler } from './sampler.ts';

const MAX_QUEUED_SPANS = 4096;
const MAX_BATCH = 512;
const BATCH_DELAY_MS = 1000;
const EXPORT_TIMEOUT_MS = 5000;

/** Spans a provider that sends spans to `<endpoint>/v1/traces` as OTLP over HTTP in JSON, and makes it the global one. */
export function startTracing(endpoint: string, checkRatio: number, resource: Resource): TracerProvider {
  diag.setLogger(quietDiagnostics(), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: EXPORT_TIMEOUT_MS,
    concurrencyLimit: 2,
  });
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: MAX_QUEUED_SPANS,
    maxExportBatchSize: MAX_BATCH,
    scheduledDelayMillis: BATCH_DELAY_MS,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const provider = new TracerProvider({ resource, sampler: tocsinSampler(checkRatio), spanProcessors: [processor] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return provider;
}

/** The SDK's own complaints (a collector that is away) as warnings of ours, which the logger keeps from repeating. */
function quietDiagnostics(): DiagLogger {
  const log = logger('telemetry');
  const warn = (message: string): void =>
    log.warn({ reason: message.slice(0, 300) }, 'traces are not being exported as they should');
  const ignore = (): void => undefined;
  return { error: warn, warn, info: ignore, debug: ignore, verbose: ignore };
}
