import { type Histogram, histogramCount, percentile } from './histogram.ts';
import type { Grid } from './windows.ts';

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

/** How due windows ended: `due` is their sum, `ratio` the share that ran in time of those that were not excused. */
export function coverageOf(outcomes: Outcomes): Outcomes & { due: number; ratio?: number } {
  const { ran, late, missed, excused } = outcomes;
  const owed = ran + late + missed;
  return { due: owed + excused, ran, late, missed, excused, ...(owed === 0 ? {} : { ratio: ran / owed }) };
}

/** The share of checks that ran and did not find the target down; undefined where none ran. */
export function uptimeOf(checks: { up: number; down: number; degraded: number }): number | undefined {
  const total = checks.up + checks.down + checks.degraded;
  return total === 0 ? undefined : (checks.up + checks.degraded) / total;
}

/** A span of time in which a monitor's windows were due, on one grid, at so many locations; or excused, while paused. */
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

/** Milliseconds of [fromMs, toMs) that the given stretches cover together, overlaps counted once. */
export function coveredMs(
  stretches: readonly { from: number; to?: number | undefined }[],
  fromMs: number,
  toMs: number,
): number {
  let covered = 0;
  let until = fromMs;
  for (const { from, to } of stretches.toSorted((a, b) => a.from - b.from)) {
    const start = Math.max(until, from);
    const end = Math.min(toMs, to ?? toMs);
    if (end <= start) continue;
    covered += end - start;
    until = end;
  }
  return covered;
}

/** Mean, percentiles and maximum of a histogram with its sum and maximum; only the count where it is empty. */
export function latencyOf(histogram: Histogram, sumMs: number, maxMs: number) {
  const count = histogramCount(histogram);
  if (count === 0) return { count };
  const at = (q: number): number => percentile(histogram, q, maxMs) ?? maxMs;
  return { count, meanMs: sumMs / count, p50Ms: at(0.5), p90Ms: at(0.9), p95Ms: at(0.95), p99Ms: at(0.99), maxMs };
}
