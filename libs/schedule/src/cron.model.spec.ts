import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlainCron } from '../test/plain-cron.ts';
import { CronSchedule } from './index.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const [FROM, TO] = [Date.UTC(2020, 0, 1), Date.UTC(2031, 0, 1)];

/** North and south, by an hour, by half of one and by two, at many hours of the day, and for Ramadan. */
const ZONES = [
  'Europe/Berlin',
  'Europe/London',
  'America/New_York',
  'America/St_Johns',
  'America/Santiago',
  'America/Havana',
  'America/Nuuk',
  'Atlantic/Azores',
  'Asia/Beirut',
  'Asia/Gaza',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Australia/Lord_Howe',
  'Australia/Adelaide',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Antarctica/Troll',
];

/** What a clock in a zone shows, written as if it were UTC. */
function clockIn(timeZone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  });
  return (at) => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(part['year']!, part['month']! - 1, part['day'], part['hour'], part['minute']);
  };
}

/** The days (UTC) in which a zone's clocks change. */
const CHANGES = ZONES.flatMap((zone) => {
  const clock = clockIn(zone);
  const days: { zone: string; start: number }[] = [];
  for (let at = FROM; at < TO; at += DAY) {
    if (clock(at) - at !== clock(at + DAY) - at - DAY) days.push({ zone, start: at - DAY });
  }
  return days;
});

const shownOver = new Map<string, number[]>();
/** What the clock shows at each minute of the three days around a change. */
function shown({ zone, start }: { zone: string; start: number }): number[] {
  const key = `${zone} ${start}`;
  const clock = clockIn(zone);
  let minutes = shownOver.get(key);
  if (!minutes) {
    // Clocks change at whole minutes, at most once in these days: a look every quarter of an hour finds the quarter.
    minutes = Array.from({ length: (3 * DAY) / MINUTE }, () => 0);
    for (let n = 0; n < minutes.length; n += 15) {
      const steady = clock(start + (n + 15) * MINUTE) - clock(start + n * MINUTE) === 15 * MINUTE;
      const first = clock(start + n * MINUTE);
      for (let k = n; k < n + 15; k++) minutes[k] = steady ? first + (k - n) * MINUTE : clock(start + k * MINUTE);
    }
    shownOver.set(key, minutes);
  }
  return minutes;
}

/** A field between two bounds: a number, a range, a step, or a list of them. */
function field(least: number, most: number, usual = most): fc.Arbitrary<string> {
  const number = fc.oneof(fc.integer({ min: least, max: usual }), fc.integer({ min: least, max: most }));
  const range = fc.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  const step = fc.integer({ min: 1, max: Math.max(2, Math.floor((most - least) / 2)) });
  const one = fc.oneof(
    number.map(String),
    range,
    fc.tuple(range, step).map(([text, n]) => `${text}/${n}`),
    step.map((n) => `*/${n}`),
  );
  return fc.oneof(
    { weight: 3, arbitrary: one },
    { weight: 1, arbitrary: fc.constant('*') },
    { weight: 1, arbitrary: fc.array(one, { minLength: 2, maxLength: 3 }).map((list) => list.join(',')) },
  );
}

describe('cron, beside a model that reads a clock every minute', () => {
  it('there are some of each zone', () => {
    expect(new Set(CHANGES.map(({ zone }) => zone)).size).toBe(ZONES.length);
  });

  it('runs its jobs when Debian does around every change of the clocks, from any moment on', () => {
    const time = fc.tuple(field(0, 59), field(0, 23, 4)).map((fields) => fields.join(' '));
    const days = fc.oneof({ weight: 3, arbitrary: fc.constant('* * *') }, fc.constant('* * 0,1,6'));
    fc.assert(
      fc.property(fc.constantFrom(...CHANGES), time, days, fc.nat(3 * DAY - HOUR), (change, hours, rest, since) => {
        const expression = `${hours} ${rest}`;
        const end = change.start + 3 * DAY - MINUTE;
        const expected = new PlainCron(expression)
          .runs(change.start, shown(change))
          .filter((at) => at > change.start + since);
        const schedule = new CronSchedule(expression, change.zone);
        const times = schedule.upcoming(change.start + since, 15).filter((at) => at <= end);
        expect({ expression, change, times }).toEqual({ expression, change, times: expected.slice(0, 15) });
      }),
      { numRuns: 250 },
    );
  });

  it('runs its jobs on the days when Debian does', () => {
    const start = Date.UTC(2027, 10, 1);
    const noons = Array.from({ length: 3 * 366 }, (_, n) => start + n * DAY + 12 * HOUR);
    fc.assert(
      fc.property(field(1, 28), fc.constantFrom('*', '*/2', '2', '1,6-8'), field(0, 7), (day, month, weekday) => {
        const expression = `0 12 ${day} ${month} ${weekday}`;
        const plain = new PlainCron(expression);
        const expected = noons.filter((noon) => plain.matches(noon)).slice(0, 20);
        const times = new CronSchedule(expression, 'UTC').upcoming(start, 20).filter((at) => at <= noons.at(-1)!);
        expect({ expression, times }).toEqual({ expression, times: expected });
      }),
      { numRuns: 60 },
    );
  });
});
