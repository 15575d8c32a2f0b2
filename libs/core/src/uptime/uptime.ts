import { type Histogram, histogramCount, percentile } from './histogram.ts';
import type { Grid } from '../time/windows.ts';

/** How many windows of a grid are due in [fromMs, toMs). */
export function windowsIn(grid: Grid, fromMs: number, toMs: number): number {
  return Math.max(0, firstWindow(grid, toMs) - firstWindow(grid, fromMs));
}

/** The first window due at or after a time. */
export function firstWindow(grid: Grid, atMs: number): number {
  return Math.ceil((atMs - grid.phaseMs) / grid.intervalMs);
}

export interface Outcomes {
  ran: number;
  late: number;
  missed: number;
  excused: number;
}

/**
 * How long after its due time a window may wait for its end to be on record, in ms: its interval, the longest timeout
 * there is with it, how often the record's sweep looks (once an interval, or a minute), twice ten seconds of grace, and
 * fifteen for the sweep's own work. What has no end by then is unaccounted for.
 */
export function settleMs(intervalMs: number): number {
  return intervalMs + Math.max(intervalMs, 10_000) + Math.min(intervalMs, 60_000) + 35_000;
}

/** What the grid says: windows that were due, and those of them that may still be waiting for their end. */
export interface Owed {
  due: number;
  pending: number;
}

export interface Coverage extends Outcomes, Owed {
  /** Due windows of which the record says nothing although their time has passed; negative: more ended than were due. */
  unaccounted: number;
  /** The share that ran in time of those that should have by now. */
  ratio?: number;
}

/**
 * How due windows ended. What was due comes from the grid and how it ended from the record, so `unaccounted` being 0 is
 * a fact about the two, and no sum.
 */
export function coverageOf({ ran, late, missed, excused }: Outcomes, { due, pending }: Owed): Coverage {
  const unaccounted = due - ran - late - missed - excused - pending;
  const owed = ran + late + missed + Math.max(0, unaccounted);
  return { due, ran, late, missed, excused, pending, unaccounted, ...(owed === 0 ? {} : { ratio: ran / owed }) };
}

/** The share of checks that ran and did not find the target down; undefined where none ran. */
export function uptimeOf(checks: { up: number; down: number; degraded: number }): number | undefined {
  const total = checks.up + checks.down + checks.degraded;
  return total === 0 ? undefined : (checks.up + checks.degraded) / total;
}

/** A span of time in which a monitor's windows were due, on one grid, at a number of locations; or excused, while paused. */
export interface Span {
  from: number;
  /** Exclusive; undefined while it lasts. */
  to?: number | undefined;
  grid: Grid;
  locations: number;
  excused: boolean;
}

/** How many windows (times locations) were due, and how many of them were excused, in [fromMs, toMs). */
export function dueIn(spans: readonly Span[], fromMs: number, toMs: number): { due: number; excused: number } {
  let due = 0;
  let excused = 0;
  for (const span of spans) {
    const windows = windowsIn(span.grid, Math.max(fromMs, span.from), Math.min(toMs, span.to ?? toMs)) * span.locations;
    due += windows;
    if (span.excused) excused += windows;
  }
  return { due, excused };
}

/** How many windows (times locations) due in [fromMs, toMs) may not have ended on record yet at `nowMs`. */
export function unsettledIn(spans: readonly Span[], fromMs: number, toMs: number, nowMs: number): number {
  return spans
    .filter(({ excused }) => !excused)
    .reduce((sum, span) => {
      const since = Math.max(fromMs, nowMs - settleMs(span.grid.intervalMs));
      return sum + dueIn([span], since, Math.min(toMs, nowMs)).due;
    }, 0);
}

/** Stretches of time, overlaps counted once; asked how much of a range they cover, they look it up. */
export class Stretches {
  private readonly apart: { from: number; to: number; before: number }[] = [];

  /** @param stretches from inclusive, to exclusive; without an end while it lasts */
  constructor(stretches: readonly { from: number; to?: number | undefined }[]) {
    for (const { from, to = Infinity } of stretches.toSorted((a, b) => a.from - b.from)) {
      const last = this.apart.at(-1);
      if (last && from <= last.to) last.to = Math.max(last.to, to);
      else this.apart.push({ from, to, before: last ? last.before + last.to - last.from : 0 });
    }
  }

  /** Milliseconds of [fromMs, toMs) that they cover. */
  within(fromMs: number, toMs: number): number {
    return toMs <= fromMs ? 0 : this.until(toMs) - this.until(fromMs);
  }

  /** Milliseconds before a time that they cover. */
  private until(ms: number): number {
    const last = this.apart[firstIndex(this.apart.length, (n) => this.apart[n]!.from >= ms) - 1];
    return last ? last.before + Math.min(ms, last.to) - last.from : 0;
  }
}

/** The first of `count` ascending positions that holds, or `count`. */
function firstIndex(count: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

type Times = ConstructorParameters<typeof Stretches>[0];

/**
 * The uptime of what reports by itself: what is silent makes no results, so it is the share of the time in which it was
 * watched that it was not down.
 * @returns a function of a range, whose answer is undefined where it was not watched at all
 */
export function watchedUptime(watched: Times, down: Times): (fromMs: number, toMs: number) => number | undefined {
  const [time, bad, either] = [watched, down, [...watched, ...down]].map((one) => new Stretches(one));
  return (fromMs, toMs) => {
    const [w, d, e] = [time, bad, either].map((one) => one!.within(fromMs, toMs)) as [number, number, number];
    return w === 0 ? undefined : 1 - (w + d - e) / w;
  };
}

/** Mean, percentiles and maximum of a histogram with its sum and maximum; only the count where it is empty. */
export function latencyOf(histogram: Histogram, sumMs: number, maxMs: number) {
  const count = histogramCount(histogram);
  if (count === 0) return { count };
  const at = (q: number): number => percentile(histogram, q, maxMs) ?? maxMs;
  return { count, meanMs: sumMs / count, p50Ms: at(0.5), p90Ms: at(0.9), p95Ms: at(0.95), p99Ms: at(0.99), maxMs };
}
