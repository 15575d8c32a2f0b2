import { firstAtOrAfter } from '../load/hit-log.ts';
import type { Alert } from './alert.ts';

/** Room for results under way when the checks stopped, or started again. */
const ROOM_MS = 4_000;
const TIMEOUT_MS = 2_000;

/** How long no result may come before a monitor of the fleet is unknown, as the README of incidents says. */
function silenceMs(intervalMs: number): number {
  return Math.max(3 * intervalMs, intervalMs + TIMEOUT_MS + 15_000);
}

/** Whether an alert says that nothing checks any more, and the targets bear it out: they were not hit for so long. */
export function isSilence({ kind, state, happenedAt }: Alert, intervalMs: number, hits: readonly number[]): boolean {
  if (kind !== 'opened' || state !== 'unknown') return false;
  const next = hits[firstAtOrAfter(hits, happenedAt - silenceMs(intervalMs) + ROOM_MS)];
  return next === undefined || next >= happenedAt - ROOM_MS;
}
