import { durationMs, type Schedule } from '@tocsin/core';
import { CronSchedule } from '@tocsin/schedule';
import type { StoredRules } from '../record.ts';

/** A cron expression that never comes true again is looked at once a year. */
const NEVER_MS = 366 * 86_400_000;

/** When the pings of a heartbeat are expected, and how late one may be. */
export function scheduleOf(rules: Pick<StoredRules, 'schedule' | 'graceMs'>): Schedule {
  const { schedule, graceMs = 0 } = rules;
  if (schedule === undefined) return { next: (after) => after + NEVER_MS, graceMs };
  if ('every' in schedule) {
    const periodMs = durationMs(schedule.every);
    return { next: (after) => after + periodMs, graceMs };
  }
  const cron = new CronSchedule(schedule.cron, schedule.timezone);
  return { next: (after) => cron.next(after) ?? after + NEVER_MS, byClock: true, graceMs };
}
