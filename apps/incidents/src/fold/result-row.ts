import type { Result } from '@tocsin/contracts';
import type { ResultRow } from '../states/held-monitor.ts';

/**
 * A result as a row of the history; whether it counts is decided with its monitor's spans at hand.
 * @param publishedAt when it was answered, in ms: what is kept as the time of a check that never started
 */
export function resultRow(result: Result, publishedAt: number): ResultRow {
  const { finding, because } = result;
  return {
    monitorId: result.monitorId,
    dueAt: result.dueAt,
    location: result.location,
    attempt: result.attempt,
    outcome: result.outcome,
    verdict: finding?.verdict,
    counted: false,
    durationMs: finding?.durationMs,
    startedAt: result.startedAt ?? publishedAt,
    reason: finding?.reason ?? because?.reason ?? result.outcome,
    message: finding?.message ?? because?.message ?? '',
    // Only the sweep's rows have none: nobody answered.
    prober: result.prober === '' ? 'unnamed' : result.prober,
    detail: finding && detailOf(finding),
  };
}

function detailOf({ timings, statusCode, certificateExpiresAt }: NonNullable<Result['finding']>): string | undefined {
  return JSON.stringify({ timings, statusCode, certificateExpiresAt });
}
