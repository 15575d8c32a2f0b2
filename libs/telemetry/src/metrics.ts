import { metrics } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import type { Resource } from '@opentelemetry/resources';
import { AggregationType, InstrumentType, MeterProvider, type IMetricReader } from '@opentelemetry/sdk-metrics';
import { observeProcess } from './process-metrics.ts';

/** Bounds of histograms whose name ends in `_seconds`: from one millisecond to half a minute. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const MOST_SERIES_PER_METRIC = 1000;

let exporter: PrometheusExporter | undefined;
const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);

/**
 * Makes the metrics of all libs readable by `metricsText`, and gives the same to `readers`, which export them. Instruments
 * made before this call record nothing.
 */
export function startMetrics(resource: Resource, readers: IMetricReader[] = []): MeterProvider {
  exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({
    resource,
    readers: [exporter, ...readers],
    views: [
      {
        instrumentName: '*_seconds',
        instrumentType: InstrumentType.HISTOGRAM,
        aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: SECONDS } },
        aggregationCardinalityLimit: MOST_SERIES_PER_METRIC,
      },
    ],
  });
  metrics.setGlobalMeterProvider(provider);
  observeProcess(metrics.getMeter('tocsin'));
  return provider;
}

/** All metrics of this process in Prometheus' text format. Empty before `startTelemetry`. */
export async function metricsText(): Promise<{ contentType: string; body: string }> {
  const contentType = 'text/plain; version=0.0.4; charset=utf-8';
  if (!exporter) return { contentType, body: '' };
  const { resourceMetrics } = await exporter.collect();
  return { contentType, body: serializer.serialize(resourceMetrics) };
}
