import { metrics } from '@opentelemetry/api';
import type { CheckTask, Result } from '@tocsin/contracts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const meter = metrics.getMeter('tocsin');

const checks = meter.createCounter('tocsin_checks_total', {
  description: 'Checks answered, by kind, verdict and outcome',
});
const duration = meter.createHistogram('tocsin_check_duration_seconds', {
  description: 'How long checks took',
  unit: 's',
  advice: { explicitBucketBoundaries: SECONDS },
});
const lateness = meter.createHistogram('tocsin_check_start_lateness_seconds', {
  description: 'How long after they were due the checks of windows started',
  unit: 's',
  advice: { explicitBucketBoundaries: SECONDS },
});
const handedBack = meter.createCounter('tocsin_checks_handed_back_total', {
  description: 'Tasks left to another prober, by reason',
});

/** Checks under way. */
export const inFlight = meter.createUpDownCounter('tocsin_checks_in_flight', { description: 'Checks under way' });

/** Counts an answered task. */
export function countResult(task: CheckTask, result: Result): void {
  const { kind } = task.target;
  const verdict = result.finding?.verdict ?? 'none';
  checks.add(1, { kind, verdict, outcome: result.outcome });
  if (result.finding) duration.record(result.finding.durationMs / 1000, { kind });
  if (result.startedAt !== undefined && task.attempt === 0) {
    lateness.record(Math.max(0, result.startedAt - task.dueAt) / 1000);
  }
}

/** Counts a task that was handed back; `reason` is one of a few words. */
export function countHandBack(reason: 'avoid' | 'stopping' | 'resources'): void {
  handedBack.add(1, { reason });
}
