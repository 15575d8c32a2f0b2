import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@tocsin/core';
import { Database, type Transaction } from '@tocsin/database';
import { CLOCK } from '@tocsin/service';
import { clear, DIRTY_ABOVE, type Level, rollUp, SUMMARIZE, TAKE_DIRTY, TOTAL } from './rollups.sql.ts';

const LEVELS: readonly Level[] = [300, 3_600, 86_400];
/** A bucket is complete this long after its end; what comes later makes it dirty. */
const GRACE_MS = 60_000;
/** Most steps of one run, so that it ends; the rest follows in the next. */
const STEPS_MAX = 300;
const STEP_TIMEOUT_MS = 60_000;

/**
 * Computes roll-ups in the background: each level up to a watermark, then again whatever changed before it. Every step
 * is a transaction that may be repeated; instances take turns under an advisory lock.
 */
@Injectable()
export class RollupsService {
  constructor(
    private readonly database: Database,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Brings all levels up to date. @returns how many buckets were computed */
  async run(): Promise<number> {
    let steps = 0;
    for (const level of LEVELS) {
      while (steps < STEPS_MAX && (await this.step((tx, now) => this.advance(tx, level, now)))) steps += 1;
      while (steps < STEPS_MAX && (await this.step((tx) => this.redo(tx, level)))) steps += 1;
    }
    if (steps > 0) await this.database.query(SUMMARIZE, [], { name: 'results summarize' });
    return steps;
  }

  /** Runs one step under the lock; false when there was nothing to do, or another instance is at it. */
  private step(work: (tx: Transaction, now: number) => Promise<boolean>): Promise<boolean> {
    return this.database.transaction(
      async (tx) => {
        const [lock] = await tx.query<{ mine: boolean }>(
          `SELECT pg_try_advisory_xact_lock(hashtext('tocsin.rollups')) AS mine`,
        );
        return lock?.mine === true && work(tx, this.clock.now());
      },
      { timeoutMs: 2 * STEP_TIMEOUT_MS, statementTimeoutMs: STEP_TIMEOUT_MS },
    );
  }

  /** Computes the next bucket of a level, if it is complete. */
  private async advance(tx: Transaction, level: Level, now: number): Promise<boolean> {
    const lengthMs = level * 1_000;
    const complete = level === 300 ? now - GRACE_MS : await doneUntil(tx, level === 3_600 ? 300 : 3_600);
    if (complete === undefined) return false;
    const done = await doneUntil(tx, level);
    if (done === undefined) {
      await setDone(tx, level, Math.floor(complete / lengthMs) * lengthMs);
      return false;
    }
    if (done + lengthMs > complete) return false;
    await tx.query(rollUp(level, false), [done, done + lengthMs], { name: `rollup ${level}` });
    if (level === 300) await tx.query(TOTAL, [done], { name: 'rollup total' });
    await setDone(tx, level, done + lengthMs);
    return true;
  }

  /** Computes one dirty bucket again, and has the level above it do the same where that is complete. */
  private async redo(tx: Transaction, level: Level): Promise<boolean> {
    const done = await doneUntil(tx, level);
    if (done === undefined) return false;
    const dirty = await tx.query<{ bucket_at: number; monitor_id: string }>(TAKE_DIRTY, [level, done]);
    const bucket = dirty[0]?.bucket_at;
    if (bucket === undefined) return false;
    const monitors = dirty.map((row) => row.monitor_id);
    const lengthMs = level * 1_000;
    await tx.query(clear(level), [bucket, monitors], { name: `rollup clear ${level}` });
    await tx.query(rollUp(level, true), [bucket, bucket + lengthMs, monitors], { name: `rollup again ${level}` });
    if (level === 300) await tx.query(TOTAL, [bucket], { name: 'rollup total' });
    const above = LEVELS[LEVELS.indexOf(level) + 1];
    if (above !== undefined) {
      const at = bucket - (bucket % (above * 1_000));
      await tx.query(DIRTY_ABOVE, [above, at, monitors], { name: 'rollup dirty above' });
    }
    return true;
  }
}

async function doneUntil(tx: Transaction, level: Level): Promise<number | undefined> {
  const [row] = await tx.query<{ done_until: number }>(
    'SELECT done_until FROM rollup_progress WHERE seconds = $1',
    [level],
    { name: 'rollup progress' },
  );
  return row?.done_until;
}

async function setDone(tx: Transaction, level: Level, until: number): Promise<void> {
  await tx.query(
    `INSERT INTO rollup_progress (seconds, done_until) VALUES ($1, $2)
     ON CONFLICT (seconds) DO UPDATE SET done_until = excluded.done_until`,
    [level, until],
    { name: 'rollup set progress' },
  );
}
