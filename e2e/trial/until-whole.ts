import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until nothing is missing any more.
 * @param missing what is, in words
 * @throws with what is missing still, when the time is over
 */
export async function untilWhole(
  missing: () => Promise<readonly string[]>,
  { withinMs, everyMs }: { withinMs: number; everyMs: number },
): Promise<void> {
  let last: readonly string[] = [];
  const deadline = performance.now() + withinMs;
  do {
    last = await missing();
    if (last.length === 0) return;
    await delay(everyMs);
  } while (performance.now() < deadline);
  throw new Error(`It is not whole after ${withinMs / 1_000} s: ${last.join('; ')}`);
}
