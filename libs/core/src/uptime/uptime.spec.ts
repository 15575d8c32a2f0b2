import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coverageOf, dueIn, settleMs, Stretches, unsettledIn, uptimeOf, watchedUptime, windowsIn } from './uptime.ts';
import { dueAt, gridOf } from '../time/windows.ts';

const grid = fc
  .record({ id: fc.uuid(), interval: fc.integer({ min: 1, max: 100_000 }) })
  .map(({ id, interval }) => gridOf(id, interval));
const time = fc.integer({ min: 1_000_000_000_000, max: 1_000_001_000_000 });

describe('windows of a range', () => {
  it('every window is counted in exactly one of two ranges that meet', () => {
    fc.assert(
      fc.property(grid, time, time, time, (of, ...times) => {
        const [a, b, c] = times.toSorted((x, y) => x - y) as [number, number, number];
        expect(windowsIn(of, a, b) + windowsIn(of, b, c)).toBe(windowsIn(of, a, c));
      }),
    );
  });

  it('a range holds the window due at its beginning and not the one due at its end', () => {
    const of = gridOf('m', 10_000);
    expect(windowsIn(of, dueAt(of, 5), dueAt(of, 6))).toBe(1);
    expect(windowsIn(of, dueAt(of, 5) + 1, dueAt(of, 6))).toBe(0);
    expect(windowsIn(of, 10, 5)).toBe(0);
  });

  it('spans that follow each other account for every window of a range once, times the locations', () => {
    const of = gridOf('m', 10_000);
    const [start, pausedAt, resumedAt, end] = [3, 9, 14, 20].map((n) => dueAt(of, n)) as [
      number,
      number,
      number,
      number,
    ];
    const spans = [
      { from: start, to: pausedAt, grid: of, locations: 2, excused: false },
      { from: pausedAt, to: resumedAt, grid: of, locations: 2, excused: true },
      { from: resumedAt, grid: of, locations: 2, excused: false },
    ];
    expect(dueIn(spans, start, end)).toEqual({ due: 34, excused: 10 });
  });
});

describe('uptime and coverage', () => {
  it('what was due and how it ended agree, or the difference is shown; excused windows are owed by nobody', () => {
    const ended = { ran: 7, late: 1, missed: 2, excused: 5 };
    const whole = coverageOf(ended, { due: 18, pending: 3 });
    expect(whole).toEqual({ ...ended, due: 18, pending: 3, unaccounted: 0, ratio: 0.7 });
    expect(coverageOf(ended, { due: 22, pending: 3 })).toMatchObject({ unaccounted: 4, ratio: 0.5 });
    expect(coverageOf(ended, { due: 14, pending: 0 })).toMatchObject({ unaccounted: -1, ratio: 0.7 });
    const paused = { ran: 0, late: 0, missed: 0, excused: 3 };
    expect(coverageOf(paused, { due: 3, pending: 0 })).not.toHaveProperty('ratio');
  });

  it('windows may wait for their end for as long as their grid says, and excused ones do not wait', () => {
    const of = gridOf('m', 10_000);
    const now = dueAt(of, 100);
    const [before, present] = [{ to: now - 20_000 }, { from: now - 20_000 }];
    const spans = (excused: boolean) => [
      { from: 0, ...before, grid: of, locations: 2, excused },
      { ...present, grid: of, locations: 1, excused: false },
    ];
    expect(settleMs(10_000)).toBe(65_000);
    expect(unsettledIn(spans(false), 0, now, now)).toBe(2 * 4 + 2);
    expect(unsettledIn(spans(true), 0, now, now)).toBe(2);
    expect(unsettledIn(spans(false), 0, now - 70_000, now)).toBe(0);
  });

  it('a degraded answer is an answer; without any check there is no uptime', () => {
    expect(uptimeOf({ up: 2, degraded: 1, down: 1 })).toBe(0.75);
    expect(uptimeOf({ up: 0, degraded: 0, down: 0 })).toBeUndefined();
  });

  it('overlapping outages are counted once, and only within the range', () => {
    const stretches = new Stretches([{ from: 5, to: 20 }, { from: 0, to: 10 }, { from: 90 }]);
    expect(stretches.within(3, 100)).toBe(27);
    expect(stretches.within(20, 90)).toBe(0);
    expect(stretches.within(95, 95)).toBe(0);
    expect(new Stretches([]).within(0, 9)).toBe(0);
  });

  it('what reports by itself is up for the share of its watched time in which it was not down', () => {
    const watched = [{ from: 100, to: 200 }, { from: 300 }];
    const uptime = watchedUptime(watched, [{ from: 150, to: 250 }, { from: 380 }]);
    expect(uptime(0, 200)).toBe(0.5);
    expect(uptime(0, 400)).toBe((50 + 80) / 200);
    expect(uptime(390, 400)).toBe(0);
    expect(uptime(0, 100)).toBeUndefined();
    expect(uptime(200, 300)).toBeUndefined();
    expect(watchedUptime([], [{ from: 0 }])(0, 10)).toBeUndefined();
  });

  it('stretches cover as many milliseconds as are in any of them', () => {
    const stretch = fc.record({ from: fc.nat(60), to: fc.option(fc.nat(60), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 8 }), fc.nat(70), fc.nat(70), (stretches, from, to) => {
        const sound = stretches.filter((one) => one.to === undefined || one.to >= one.from);
        const covered = Array.from({ length: 70 }, (_, ms) => ms).filter(
          (ms) => ms >= from && ms < to && sound.some((one) => ms >= one.from && ms < (one.to ?? Infinity)),
        );
        expect(new Stretches(sound).within(from, to)).toBe(covered.length);
      }),
    );
  });
});
