import { type Histogram, latencyOf, mergeHistogram, type Outcomes } from '@tocsin/core';
import type { RawRow, RollupRow } from './reports.sql.ts';

type Counts = Omit<RollupRow, 'bucket_at' | 'histogram' | 'latency_max'>;

/** Roll-ups and results added up. */
export class Sums {
  private readonly histogram: Histogram = {};
  private latencyMax = 0;
  private readonly counts: Counts = {
    up: 0,
    down: 0,
    degraded: 0,
    ran: 0,
    late: 0,
    missed: 0,
    excused: 0,
    latency_sum: 0,
  };

  static of(rolled: readonly RollupRow[], raw: readonly RawRow[]): Sums {
    const sums = new Sums();
    for (const row of rolled) sums.add(row, row.histogram, row);
    for (const row of raw) {
      const answered = row.latency_bucket !== null;
      sums.add(row, answered ? { [row.latency_bucket ?? 0]: row.n } : {}, answered ? row : NO_LATENCY);
    }
    return sums;
  }

  /**
   * What checks found. A ping that was due and did not come is one that found it down.
   * @param windowsMissed how much of what was missed were windows of a grid, which say nothing of the target
   */
  checks(windowsMissed: number | 'all'): { up: number; down: number; degraded: number } {
    const { up, down, degraded, missed } = this.counts;
    const pings = windowsMissed === 'all' ? 0 : Math.max(0, missed - windowsMissed);
    return { up, down: down + pings, degraded };
  }

  /** How windows ended. @param paused those that fell into a pause, which have no rows */
  outcomes(paused: number): Outcomes {
    const { ran, late, missed, excused } = this.counts;
    return { ran, late, missed, excused: excused + paused };
  }

  latency() {
    return latencyOf(this.histogram, this.counts.latency_sum, this.latencyMax);
  }

  isEmpty(): boolean {
    const { ran, late, missed, excused } = this.counts;
    return ran + late + missed + excused === 0;
  }

  private add(
    row: Omit<Counts, 'latency_sum'>,
    histogram: Histogram,
    latency: { latency_sum: number; latency_max: number },
  ): void {
    const { counts } = this;
    counts.up += row.up;
    counts.down += row.down;
    counts.degraded += row.degraded;
    counts.ran += row.ran;
    counts.late += row.late;
    counts.missed += row.missed;
    counts.excused += row.excused;
    counts.latency_sum += latency.latency_sum;
    this.latencyMax = Math.max(this.latencyMax, latency.latency_max);
    mergeHistogram(this.histogram, histogram);
  }
}

/** How long failures took is no latency. */
const NO_LATENCY = { latency_sum: 0, latency_max: 0 };
