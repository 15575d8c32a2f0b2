import type { CheckTask } from '@tocsin/contracts';

/** What a prober does with a task, and why in one word. */
export type Take = 'run' | 'expired' | 'avoid' | 'stopping';

/** From this delivery on, a task that should go to another prober is run all the same: there may be no other. */
const GIVE_UP_AVOIDING_AT = 10;

/** Decides what `prober` does with a task that was delivered for the `deliveries`-th time. */
export function take(
  task: Pick<CheckTask, 'expiresAt' | 'avoid'>,
  by: { prober: string; stopping: boolean; deliveries: number; now: number },
): Take {
  if (by.stopping) return 'stopping';
  if (task.expiresAt <= by.now) return 'expired';
  if (by.deliveries < GIVE_UP_AVOIDING_AT && task.avoid?.includes(by.prober)) return 'avoid';
  return 'run';
}
