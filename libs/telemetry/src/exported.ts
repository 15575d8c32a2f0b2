/** What this process exports; `/metrics` and the log on stdout are always there and are not meant. */
export interface Exported {
  readonly traces: boolean;
  readonly logs: boolean;
  /** Names of exporters: `otlp`, `console`. */
  readonly metrics: readonly string[];
}

/**
 * Reads from OpenTelemetry's variables what to export. OTEL_SDK_DISABLED wins over OTEL_<signal>_EXPORTER, which wins
 * over the endpoints. The common endpoint stands for traces alone: a collector reads the log from stdout and the metrics
 * from `/metrics`, and would have both twice.
 */
export function exportedBy(env: NodeJS.ProcessEnv): Exported {
  const disabled = env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true';
  const exportersOf = (signal: 'TRACES' | 'LOGS' | 'METRICS', isDefault: boolean): string[] => {
    const named = listOf(env[`OTEL_${signal}_EXPORTER`]);
    if (disabled || named.includes('none')) return [];
    if (named.length > 0) return named;
    return isDefault || env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]?.trim() ? ['otlp'] : [];
  };
  return {
    traces: exportersOf('TRACES', Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT']?.trim())).length > 0,
    logs: exportersOf('LOGS', false).length > 0,
    // Prometheus reads them at `/metrics`, which every service serves.
    metrics: exportersOf('METRICS', false).filter((name) => name !== 'prometheus'),
  };
}

function listOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}
