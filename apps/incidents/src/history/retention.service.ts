import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@tocsin/core';
import { Database, Operations } from '@tocsin/database';
import { CLOCK, CONFIG } from '@tocsin/service';
import type { IncidentsConfig } from '../incidents.config.ts';
import { FORGET_TOTALS } from './rollups.sql.ts';

/** Spans that ended before anything that is still kept. */
const FORGET_SPANS = ['spans', 'heartbeat_spans'].map(
  (table) => `DELETE FROM ${table} p USING history_kept k WHERE k.seconds = 86400 AND p.until_at < k.since`,
);
const DAY_MS = 86_400_000;

/** Most rows that go in one statement, and most statements of one round: the rest goes in the next. */
const BATCH = 1_000;
const BATCHES_MAX = 100;

/**
 * Incidents that were over before $1, the oldest first, with their timelines; not while the notifier has to be told of
 * them. They are looked for in the order in which they opened, which has an index: those still open are few.
 */
const FORGET_INCIDENTS = `DELETE FROM incidents WHERE id IN (SELECT i.id FROM incidents i
    WHERE i.opened_at < $1 AND i.resolved_at < $1 AND NOT EXISTS (SELECT FROM transitions t WHERE t.incident_id = i.id)
    ORDER BY i.opened_at, i.id LIMIT ${BATCH})
  RETURNING id`;

/** Monitors that were deleted before $1 (their `grid_since`), and of which nothing is left. */
const FORGET_MONITORS = `DELETE FROM monitors WHERE monitor_id IN (SELECT m.monitor_id FROM monitors m
    WHERE m.deleted AND m.grid_since > 0 AND m.grid_since < $1
      AND NOT EXISTS (SELECT FROM spans p WHERE p.monitor_id = m.monitor_id)
      AND NOT EXISTS (SELECT FROM heartbeat_spans p WHERE p.monitor_id = m.monitor_id)
      AND NOT EXISTS (SELECT FROM results r WHERE r.monitor_id = m.monitor_id)
    LIMIT ${BATCH})
  RETURNING monitor_id`;

/** Forgets, row by row and a little at a time, what is in no partition and older than anybody wants it. */
@Injectable()
export class RetentionService {
  constructor(
    private readonly database: Database,
    private readonly operations: Operations,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: IncidentsConfig,
  ) {}

  /** Safe to repeat, and to run on any number of instances at once. */
  async run(): Promise<void> {
    for (const forget of [...FORGET_TOTALS, ...FORGET_SPANS]) await this.database.query(forget, []);
    const before = this.clock.now() - Math.max(...Object.values(this.config.retentionDays)) * DAY_MS;
    await this.forget(FORGET_INCIDENTS, before);
    await this.forget(FORGET_MONITORS, before);
    await this.operations.purge();
  }

  private async forget(statement: string, before: number): Promise<void> {
    for (let n = 0; n < BATCHES_MAX; n += 1) {
      const gone = await this.database.query(statement, [before]);
      if (gone.length < BATCH) return;
    }
  }
}
