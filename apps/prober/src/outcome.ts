import type { CheckTask, Outcome } from '@tocsin/contracts';

const LATE_MS = 5_000;

/**
 * How a check that started at `startedAt` (ms since the epoch) met its window: in time, or more than half an interval,
 * and at most 5 s, after it was due. A later attempt answers a question asked after the window began: it is never late.
 */
export function outcomeOf(
  task: Pick<CheckTask, 'attempt' | 'dueAt' | 'intervalMs'>,
  startedAt: number,
): Extract<Outcome, 'ran' | 'late'> {
  if (task.attempt > 0) return 'ran';
  return startedAt - task.dueAt > Math.min(task.intervalMs / 2, LATE_MS) ? 'late' : 'ran';
}
