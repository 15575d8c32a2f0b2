import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scheduleOf } from './schedule.ts';

const DAY = 86_400_000;
/** Zones whose clocks change by an hour or by half of one, at many hours of the day, and in Casablanca for Ramadan. */
const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Africa/Casablanca',
];

/** The date and time of day that a person in a zone reads from the clock. */
function clockIn(timeZone: string): (at: number) => { date: string; time: string } {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  return (at) => {
    const [date = '', time = ''] = format.format(at).split(' ');
    return { date, time };
  };
}

/** The noons (UTC) between which a zone's clocks change, in 2026. */
function changesIn(zone: string): number[] {
  const clock = clockIn(zone);
  const noons = Array.from({ length: 366 }, (_, n) => Date.UTC(2026, 0, 1, 12) + n * DAY);
  return noons.filter((noon) => clock(noon).time !== clock(noon + DAY).time);
}

const CHANGES = ZONES.flatMap((zone) => changesIn(zone).map((noon) => ({ zone, noon })));
const daily = fc.record({
  change: fc.constantFrom(...CHANGES),
  hour: fc.oneof(fc.nat(3), fc.nat(23)),
  minute: fc.nat(59),
});

describe('a cron expression in a zone whose clocks change', () => {
  it('there are such days in each of the zones', () => {
    expect(new Set(CHANGES.map(({ zone }) => zone)).size).toBe(ZONES.length);
  });

  it('a daily ping is expected once on every day of the zone, also on the days of 23 and of 25 hours', () => {
    fc.assert(
      fc.property(daily, ({ change: { zone, noon }, hour, minute }) => {
        const { next } = scheduleOf({ schedule: { cron: `${minute} ${hour} * * *`, timezone: zone } });
        const clock = clockIn(zone);
        const expected: number[] = [];
        for (let at = noon - 2 * DAY; expected.length < 5;) expected.push((at = next(at)));
        const days = expected.map((at) => Date.parse(clock(at).date));
        expect(days.slice(1).map((day, n) => day - days[n]!)).toEqual([DAY, DAY, DAY, DAY]);
        const wanted = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
        // Where the clocks jump over the time it is expected right after the jump; there is one such day at most.
        expect(expected.filter((at) => clock(at).time !== wanted).length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100 },
    );
  });

  it('the next ping is always later than the last one, whenever that came', () => {
    const every = fc.constantFrom('* * * * *', '*/7 * * * *', '20 * * * *', '0 */6 * * *', '30 2 * * 0');
    fc.assert(
      fc.property(daily, every, fc.integer({ min: -DAY, max: DAY }), ({ change }, cron, offset) => {
        const { next } = scheduleOf({ schedule: { cron, timezone: change.zone } });
        let at = change.noon + offset;
        for (let n = 0; n < 5; n += 1) {
          const later = next(at);
          expect(later).toBeGreaterThan(at);
          expect(next(later - 1)).toBe(later);
          at = later;
        }
      }),
      { numRuns: 60 },
    );
  });
});
