import { setTimeout as delay } from 'node:timers/promises';

/** When a wait gives up. It is no promise: a test that promises a time measures it, and compares the figure. */
const GIVE_UP_MS = 30_000;

/**
 * Waits until the condition gives a truthy value, and returns it. A condition that throws counts as not yet.
 * @param o `timeoutMs` defaults to 30 s; `what` names the awaited thing in the error.
 * @throws when the time is over, with the last thing that the condition gave or threw.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  o: { timeoutMs?: number; what?: string; everyMs?: number } = {},
): Promise<Exclude<T, undefined | null | false | 0 | ''>> {
  const timeoutMs = o.timeoutMs ?? GIVE_UP_MS;
  const started = performance.now();
  let last: unknown;
  do {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, undefined | null | false | 0 | ''>;
      last = value;
    } catch (error) {
      last = error;
    }
    await delay(o.everyMs ?? 10);
  } while (performance.now() - started < timeoutMs);
  const seen = last instanceof Error ? last.message : JSON.stringify(last);
  throw new Error(
    `Waited ${timeoutMs} ms in vain for ${o.what ?? 'the condition'}; last seen: ${seen}`,
    last instanceof Error ? { cause: last } : {},
  );
}
