import { describe, expect, it } from 'vitest';
import { scheduleOf } from './schedule.ts';

const at = (text: string): number => Date.parse(text);

describe('the schedule of a heartbeat', () => {
  it('with a period the next ping is expected a period after the last', () => {
    const schedule = scheduleOf({ schedule: { every: '5m' }, graceMs: 1_000 });
    expect(schedule.next(1_000)).toBe(301_000);
    expect(schedule.graceMs).toBe(1_000);
  });

  it('a cron expression is read in its time zone, as Debian does over a change of the clocks', () => {
    const { next } = scheduleOf({ schedule: { cron: '30 1,2 * * *', timezone: 'Europe/Berlin' } });
    expect(new Date(next(at('2026-10-24T23:30:00Z'))).toISOString()).toBe('2026-10-25T00:30:00.000Z');
    expect(new Date(next(at('2026-10-25T00:30:00Z'))).toISOString()).toBe('2026-10-26T00:30:00.000Z');
  });

  it('an expression that never comes true again is looked at once a year', () => {
    const { next } = scheduleOf({ schedule: { cron: '0 0 30 2 *', timezone: 'UTC' } });
    expect(next(0)).toBe(366 * 86_400_000);
  });
});
