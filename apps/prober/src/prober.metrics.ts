import { metrics } from '@opentelemetry/api';
import type { CheckTask, Result } from '@tocsin/contracts';

const meter = metrics.getMeter('tocsin');

const checks = meter.createCounter('tocsin_checks_total', {
  description: 'Checks answered, by kind, verdict and outcome',
});
const duration = meter.createHistogram('tocsin_check_duration_seconds', {
  description: 'How long checks took',
  unit: 's',
});
const lateness = meter.createHistogram('tocsin_check_start_lateness_seconds', {
  description: 'How long after they were due the checks of windows started',
  unit: 's',
});
const handedBack = meter.createCounter('tocsin_checks_handed_back_total', {
  description: 'Tasks left to another prober, by reason',
});

const defects = meter.createCounter('tocsin_check_defects_total', {
  description: 'Checks that a defect of Tocsin ended, by kind',
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
export function countHandBack(reason: 'avoid' | 'stopping' | 'resources' | 'stalled' | 'unsupported'): void {
  handedBack.add(1, { reason });
}

/** Counts a check that ended by an exception which nobody foresaw. */
export function countDefect(kind: string): void {
  defects.add(1, { kind });
}
