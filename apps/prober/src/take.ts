import type { CheckTask } from '@tocsin/contracts';

/** What a prober does with a task, and why in one word. */
export type Take = 'run' | 'expired' | 'unsupported' | 'avoid' | 'stopping';

/** From this delivery on, a task that should go to another prober is run all the same: there may be no other. */
const GIVE_UP_AVOIDING_AT = 10;

/** Decides what `prober` does with a task that was delivered for the `deliveries`-th time. */
export function take(
  task: Pick<CheckTask, 'expiresAt' | 'avoid'>,
  by: { prober: string; stopping: boolean; supported: boolean; deliveries: number; now: number },
): Take {
  if (by.stopping) return 'stopping';
  if (task.expiresAt <= by.now) return 'expired';
  if (!by.supported) return 'unsupported';
  if (by.deliveries < GIVE_UP_AVOIDING_AT && task.avoid?.includes(by.prober)) return 'avoid';
  return 'run';
}

const SOON_MS = 5;
const SELDOM_MS = 15_000;

/**
 * How long, in ms, a task rests that this prober cannot run: at first another one is looked for at once, then less and less
 * often, and last when its window has ended, so that it is answered as missed.
 */
export function restOfUnsupported(task: Pick<CheckTask, 'expiresAt'>, by: { deliveries: number; now: number }): number {
  const restMs = Math.min(SELDOM_MS, SOON_MS * 2 ** Math.min(by.deliveries, 20));
  return Math.max(0, Math.min(restMs, task.expiresAt - by.now));
}
