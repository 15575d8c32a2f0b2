import { AsyncLocalStorage } from 'node:async_hooks';
import { systemClock } from '@tocsin/core';

/** What a hop keeps for its own answer to travel back, ms. */
const HOP_MS = 5;

const current = new AsyncLocalStorage<number>();

/** Runs a handler whose own questions must be answered before its own deadline. */
export function withDeadline<T>(deadline: number, run: () => T): T {
  return current.run(deadline, run);
}

/** The epoch ms by which a question must be answered: the asked one, or what is left of the caller's, less one hop. */
export function shrink(timeoutMs: number, asked?: number): number {
  const own = Math.min(asked ?? Number.POSITIVE_INFINITY, systemClock.now() + timeoutMs);
  const outer = current.getStore();
  return outer === undefined ? own : Math.min(own, outer - HOP_MS);
}
