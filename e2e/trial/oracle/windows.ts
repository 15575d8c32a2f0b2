import { dueAt, gridOf, nextWindow } from '@tocsin/core';
import type { WatchedMonitor } from '../load/fleet.ts';
import { firstAtOrAfter } from '../load/hit-log.ts';
import type { HitsOf, Range } from './range.ts';

/** A check that starts later than this after its due time is late. */
const LATE_MS = 3_000;
/** From this interval on nothing may be missed while a broker's node is away. */
export const LONG_MS = 10_000;

/** A window that nobody ran, or ran late, with what is needed to find the fault that cost it. */
export interface WindowSeen {
  n: number;
  monitorId: string;
  intervalMs: number;
  dueAt: number;
  /** From its due time to its first hit; absent where there was none. */
  lateMs?: number;
}

/** How the due windows of a range ended, as the targets saw it: `due = ran + late + missed`. */
export interface WindowCounts {
  due: number;
  ran: number;
  late: number;
  missed: number;
  /** Missed ones of monitors with an interval of 10 s or more. */
  missedLong: number;
  /** The longest time from a due time to its first hit, of windows that ran. */
  worstLateMs: number;
  /** The longest time in which no target at all was hit. */
  worstGapMs: number;
  missedWindows: WindowSeen[];
  lateWindows: WindowSeen[];
}

/** The due times of a monitor's windows in a range. */
export function dueTimesOf({ id, intervalMs }: Pick<WatchedMonitor, 'id' | 'intervalMs'>, range: Range): number[] {
  const grid = gridOf(id, intervalMs);
  const times: number[] = [];
  for (let k = nextWindow(grid, range.from - 1); dueAt(grid, k) < range.to; k++) times.push(dueAt(grid, k));
  return times;
}

/** From a window's due time to the first hit before the window ended; undefined where there was none. */
export function firstHitAfter(hits: readonly number[], due: number, intervalMs: number): number | undefined {
  const first = hits[firstAtOrAfter(hits, due)];
  return first !== undefined && first < due + intervalMs ? first - due : undefined;
}

/**
 * Counts the windows that were due in a range by the hits of their targets alone. A confirmation or a manual check that
 * hits within a window counts for it too: what the record says of such a window, `compareWithRecord` shows.
 */
export function countWindows(monitors: readonly WatchedMonitor[], hitsOf: HitsOf, range: Range): WindowCounts {
  const counts: WindowCounts = {
    due: 0,
    ran: 0,
    late: 0,
    missed: 0,
    missedLong: 0,
    worstLateMs: 0,
    worstGapMs: worstGapMs(monitors, hitsOf, range),
    missedWindows: [],
    lateWindows: [],
  };
  for (const monitor of monitors) {
    const hits = hitsOf(monitor.n);
    for (const due of dueTimesOf(monitor, range)) {
      counts.due++;
      const lateMs = firstHitAfter(hits, due, monitor.intervalMs);
      const seen = { n: monitor.n, monitorId: monitor.id, intervalMs: monitor.intervalMs, dueAt: due };
      if (lateMs === undefined) {
        counts.missed++;
        if (monitor.intervalMs >= LONG_MS) counts.missedLong++;
        counts.missedWindows.push(seen);
        continue;
      }
      counts.worstLateMs = Math.max(counts.worstLateMs, lateMs);
      if (lateMs <= LATE_MS) {
        counts.ran++;
        continue;
      }
      counts.late++;
      counts.lateWindows.push({ ...seen, lateMs });
    }
  }
  return counts;
}

function worstGapMs(monitors: readonly WatchedMonitor[], hitsOf: HitsOf, { from, to }: Range): number {
  const times = [from, to];
  for (const { n } of monitors) {
    const hits = hitsOf(n);
    for (let i = firstAtOrAfter(hits, from); i < hits.length && hits[i]! < to; i++) times.push(hits[i]!);
  }
  times.sort((a, b) => a - b);
  let worst = 0;
  for (let i = 1; i < times.length; i++) worst = Math.max(worst, times[i]! - times[i - 1]!);
  return worst;
}
