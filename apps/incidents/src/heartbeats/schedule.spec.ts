import { describe, expect, it } from 'vitest';
import { rescheduled, scheduleOf } from './schedule.ts';

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

describe('when the next ping is expected after an edit', () => {
  const hourly = { schedule: { every: '1h' }, graceMs: 300_000 };
  const heartbeat = { lastPingId: 'p', lastPingAt: at('2026-01-01T10:00:00Z'), expectedAt: at('2026-01-01T12:00:00Z') };
  /** The ping of 11:00 did not come, which was counted. */
  const missedAt = at('2026-01-01T11:00:00Z');

  it('is when it was, where the schedule is the same: what was counted as missed is not expected again', () => {
    expect(rescheduled(hourly, { ...hourly, graceMs: 1 }, heartbeat, missedAt)).toBe(heartbeat);
    const cron = { schedule: { cron: '0 * * * *', timezone: 'UTC' } };
    expect(rescheduled(cron, { schedule: { timezone: 'UTC', cron: '0 * * * *' } }, heartbeat, missedAt)).toBe(
      heartbeat,
    );
  });

  it('is by the new schedule since the last ping, or since the last one that was counted as missed', () => {
    const next = (lastDueAt: number | undefined) =>
      rescheduled(hourly, { schedule: { every: '10m' } }, heartbeat, lastDueAt).expectedAt;
    expect(next(missedAt)).toBe(at('2026-01-01T11:10:00Z'));
    expect(next(heartbeat.lastPingAt - 1)).toBe(at('2026-01-01T10:10:00Z'));
    expect(next(undefined)).toBe(at('2026-01-01T10:10:00Z'));
  });

  it('is not before there was a ping', () => {
    expect(rescheduled(hourly, { schedule: { every: '10m' } }, {}, undefined)).toEqual({});
  });
});
