import { CheckFailure } from '../failure.ts';
import type { Run } from '../run.ts';

/** Who takes less holds up nobody. */
const SHORT_MS = 20;
/** After one that took longer, so many times its length belong to everything else. */
const SPARED = 4;
/** Until when what is costly waits, on this process's clock. */
let restsUntil = -Infinity;

/**
 * Does a costly piece of work. After one that was long, the next begins only when this process had four times as long for
 * everything else: all of them together take a fifth of its time, and hold up others for one of them at a time.
 * @throws CheckFailure `resources` when its turn does not come within the run's time
 */
export async function paced<T>(run: Run, work: () => T): Promise<T> {
  for (let waitMs = restsUntil - performance.now(); waitMs > 0; waitMs = restsUntil - performance.now()) {
    if (waitMs >= run.remainingMs()) {
      throw new CheckFailure('resources', 'resources: this prober is too busy to judge the answer');
    }
    await pause(run, waitMs);
  }
  const since = performance.now();
  try {
    return run.work(work);
  } finally {
    const now = performance.now();
    if (now - since > SHORT_MS) restsUntil = now + SPARED * (now - since);
  }
}

function pause(run: Run, ms: number): Promise<void> {
  return run.step<void>((done) => {
    const timer = setTimeout(() => done(undefined), ms);
    return () => clearTimeout(timer);
  });
}
