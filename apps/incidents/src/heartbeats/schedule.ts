import { isDeepStrictEqual } from 'node:util';
import { durationMs, expectedAfter, type HeartbeatState, type Schedule } from '@tocsin/core';
import { CronSchedule } from '@tocsin/schedule';
import type { StoredRules } from '../states/held-monitor.ts';

/** A cron expression that never comes true again is looked at once a year. */
const NEVER_MS = 366 * 86_400_000;

type Rules = Pick<StoredRules, 'schedule' | 'graceMs'>;

/** When the pings of a heartbeat are expected, and how late one may be. */
export function scheduleOf(rules: Rules): Schedule {
  const { schedule, graceMs = 0 } = rules;
  if (schedule === undefined) return { next: (after) => after + NEVER_MS, graceMs };
  if ('every' in schedule) {
    const periodMs = durationMs(schedule.every);
    return { next: (after) => after + periodMs, graceMs };
  }
  const cron = new CronSchedule(schedule.cron, schedule.timezone);
  return { next: (after) => cron.next(after) ?? after + NEVER_MS, byClock: true, graceMs };
}

/**
 * The heartbeat after an edit. Another schedule holds from the last ping on, or from the last time that was counted as missed,
 * which is not to be counted again.
 * @param lastDueAt the last time that a ping was due at, whether it came or not
 */
export function rescheduled(
  before: Rules,
  after: Rules,
  heartbeat: HeartbeatState,
  lastDueAt: number | undefined,
): HeartbeatState {
  if (heartbeat.lastPingAt === undefined || isDeepStrictEqual(before.schedule, after.schedule)) return heartbeat;
  const since = Math.max(heartbeat.lastPingAt, lastDueAt ?? 0);
  return { ...heartbeat, expectedAt: expectedAfter(scheduleOf(after), since) };
}
