/** How long a flipping target is down, and then up, in turns. */
export const HALF_PERIOD_MS = 25_000;

/** When a target is down: never, or in turns from its own offset on. */
export interface Flipping {
  flips?: { offsetMs: number };
}

/** A stretch of time in which a target gave one answer. */
export interface Phase {
  down: boolean;
  from: number;
  /** Exclusive. */
  to: number;
}

/**
 * Whether a target is down at a time. Until its offset after `startedAt` it is up, then it is down and up in turns.
 * @param startedAt epoch milliseconds; undefined: the schedule has not begun, everything is up
 */
export function isDownAt({ flips }: Flipping, epochMs: number, startedAt: number | undefined): boolean {
  if (!flips || startedAt === undefined) return false;
  const since = epochMs - startedAt - flips.offsetMs;
  return since >= 0 && Math.floor(since / HALF_PERIOD_MS) % 2 === 0;
}

/** The phases of a target that begin before `untilMs`, in order, from its first going down; none where it never does. */
export function phasesOf({ flips }: Flipping, startedAt: number, untilMs: number): Phase[] {
  const phases: Phase[] = [];
  if (!flips) return phases;
  for (let from = startedAt + flips.offsetMs; from < untilMs; from += HALF_PERIOD_MS) {
    phases.push({ down: phases.length % 2 === 0, from, to: from + HALF_PERIOD_MS });
  }
  return phases;
}
