import { currentDeadline, systemClock } from '@tocsin/core';

/** What a hop keeps for its own answer to travel back, ms. */
const HOP_MS = 5;

/** The epoch ms by which a question must be answered: the asked one, or what is left of the caller's, less one hop. */
export function shrink(timeoutMs: number, asked?: number): number {
  const own = Math.min(asked ?? Number.POSITIVE_INFINITY, systemClock.now() + timeoutMs);
  const outer = currentDeadline();
  return outer === undefined ? own : Math.min(own, outer - HOP_MS);
}
