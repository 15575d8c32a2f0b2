import { currentDeadline, systemClock } from '@tocsin/core';

/** Each hop keeps this many ms for its answer to travel back. */
const HOP_MS = 5;

/** The deadline of a request, ms since the epoch: the requested one, or the caller's own less one hop if that is sooner. */
export function effectiveDeadline(timeoutMs: number, requested?: number): number {
  const own = Math.min(requested ?? Number.POSITIVE_INFINITY, systemClock.now() + timeoutMs);
  const outer = currentDeadline();
  return outer === undefined ? own : Math.min(own, outer - HOP_MS);
}
