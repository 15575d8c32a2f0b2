import { diag, DiagLogLevel, type DiagLogger } from '@opentelemetry/api';
import { diagLogLevelFromString, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPMetricExporter as GrpcMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as JsonMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import type { Resource } from '@opentelemetry/resources';
import {
  ConsoleMetricExporter,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { Exported } from './exported.ts';
import { DIAGNOSTICS, logger } from './logger.ts';
import { tocsinSampler } from './sampler.ts';

const METRICS_INTERVAL_MS = 60_000;
const METRICS_TIMEOUT_MS = 30_000;

/** OpenTelemetry as it runs: `readers` take the metrics, `shutdown` sends what is queued. */
export interface RunningSdk {
  readonly readers: PeriodicExportingMetricReader[];
  shutdown(): Promise<void>;
}

/**
 * Starts OpenTelemetry's SDK as its own variables say. This module is loaded only where something is exported. Tocsin
 * writes its own spans, so the list of instrumentations is empty.
 */
export function startSdk(resource: Resource, exported: Exported, checkRatio: number): RunningSdk {
  reportDiagnostics();
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    instrumentations: [],
    metricReaders: [],
    ...(exported.traces ? {} : { spanProcessors: [] }),
    ...(exported.logs ? {} : { logRecordProcessors: [] }),
    ...(process.env['OTEL_TRACES_SAMPLER'] ? {} : { sampler: tocsinSampler(checkRatio) }),
    // No baggage unless asked for: a client's baggage would travel on to the receivers of webhooks.
    ...(process.env['OTEL_PROPAGATORS'] ? {} : { textMapPropagator: new W3CTraceContextPropagator() }),
  });
  // With OTEL_LOG_LEVEL the SDK sets a logger that writes plain text between the JSON lines.
  reportDiagnostics();
  sdk.start();
  return { readers: exported.metrics.flatMap(readerFor), shutdown: () => sdk.shutdown() };
}

function readerFor(name: string): PeriodicExportingMetricReader[] {
  if (name !== 'otlp' && name !== 'console') {
    diag.warn(`OTEL_METRICS_EXPORTER does not know "${name}"; it takes otlp, console, prometheus and none`);
    return [];
  }
  const exportIntervalMillis = milliseconds('OTEL_METRIC_EXPORT_INTERVAL', METRICS_INTERVAL_MS);
  const exportTimeoutMillis = Math.min(
    milliseconds('OTEL_METRIC_EXPORT_TIMEOUT', METRICS_TIMEOUT_MS),
    exportIntervalMillis,
  );
  const exporter = name === 'otlp' ? otlpMetricExporter() : new ConsoleMetricExporter();
  return [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis, exportTimeoutMillis })];
}

function otlpMetricExporter(): PushMetricExporter {
  const { OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: own, OTEL_EXPORTER_OTLP_PROTOCOL: common } = process.env;
  const protocol = own?.trim() || common?.trim() || 'http/protobuf';
  if (protocol === 'grpc') return new GrpcMetricExporter();
  if (protocol === 'http/json') return new JsonMetricExporter();
  if (protocol !== 'http/protobuf') diag.warn(`OTLP knows no protocol "${protocol}"; metrics go by http/protobuf`);
  return new ProtobufMetricExporter();
}

function milliseconds(variable: string, otherwise: number): number {
  const value = Number(process.env[variable]?.trim() || otherwise);
  if (value > 0) return value;
  diag.warn(`${variable} must be a number above 0; ${otherwise} is used`);
  return otherwise;
}

/** The SDK's own complaints, such as a collector that is down, as lines of our log, which holds back repetitions. */
function reportDiagnostics(): void {
  const log = logger(DIAGNOSTICS);
  const line = (level: 'warn' | 'info' | 'debug') => (message: string) =>
    log[level]({ reason: message.slice(0, 300) }, 'OpenTelemetry reports');
  const lines: DiagLogger = {
    error: line('warn'),
    warn: line('warn'),
    info: line('info'),
    debug: line('debug'),
    verbose: line('debug'),
  };
  const wanted = process.env['OTEL_LOG_LEVEL'];
  const logLevel = (wanted && diagLogLevelFromString(wanted)) || DiagLogLevel.WARN;
  diag.setLogger(lines, { logLevel, suppressOverrideMessage: true });
}
