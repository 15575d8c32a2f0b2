import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueIn, firstWindow, type Span, windowsIn } from '../uptime/uptime.ts';
import { dueAt, type Grid, nextWindow, windowAt } from './windows.ts';

const DAY = 86_400_000;

/** Grids of every kind, also those that fit into no day and no hour. */
const grid: fc.Arbitrary<Grid> = fc
  .oneof(fc.constantFrom(5_000, 30_000, 60_000, DAY), fc.constantFrom(7_000, 11_111, 86_399_999, 1_009), fc.nat(DAY))
  .map((intervalMs) => Math.max(1_000, intervalMs))
  .chain((intervalMs) => fc.nat(intervalMs - 1).map((phaseMs) => ({ intervalMs, phaseMs })));
const time = fc.integer({ min: 0, max: 4_102_444_800_000 });

describe('the windows of any range', () => {
  it('are contiguous: each ends where the next begins, and none is missing or double', () => {
    fc.assert(
      fc.property(grid, time, fc.nat(500), (of, from, count) => {
        const to = from + count * of.intervalMs;
        const seen: number[] = [];
        for (let at = from; at < to; at = dueAt(of, nextWindow(of, at))) seen.push(windowAt(of, at));
        const [first = 0] = seen;
        expect(seen).toEqual(seen.map((_, n) => first + n));
        for (const k of seen) expect(dueAt(of, k) + of.intervalMs).toBe(dueAt(of, k + 1));
      }),
    );
  });

  it('are as many as those of its parts, wherever it is cut', () => {
    fc.assert(
      fc.property(grid, time, fc.array(fc.nat(10 * DAY), { minLength: 2, maxLength: 12 }), (of, start, offsets) => {
        const cuts = offsets.map((offset) => start + offset).toSorted((a, b) => a - b);
        const parts = cuts.slice(1).map((to, n) => windowsIn(of, cuts[n]!, to));
        expect(parts.reduce((sum, n) => sum + n, 0)).toBe(windowsIn(of, cuts[0]!, cuts.at(-1)!));
      }),
    );
  });

  it('are 24 hours apart for a daily monitor on the days that last 23 and 25: the grid knows no local time', () => {
    const changes = ['2026-03-29T01:00Z', '2026-10-25T01:00Z', '2026-03-08T07:00Z', '2026-11-01T06:00Z'].map(
      Date.parse,
    );
    fc.assert(
      fc.property(fc.constantFrom(...changes), fc.nat(DAY - 1), (change, phaseMs) => {
        const of = { intervalMs: DAY, phaseMs };
        const days = [-2, -1, 0, 1, 2].map((n) => dueAt(of, windowAt(of, change + n * DAY)));
        expect(days.slice(1).map((at, n) => at - days[n]!)).toEqual([DAY, DAY, DAY, DAY]);
      }),
    );
  });

  it('have the same names for a clock that repeats a second, is smeared over a leap second, or is set back', () => {
    fc.assert(
      fc.property(
        grid,
        time,
        fc.array(fc.integer({ min: -1_000, max: 1_500 }), { maxLength: 40 }),
        (of, start, steps) => {
          let at = start + DAY;
          for (const step of steps) {
            at += step;
            const k = windowAt(of, at);
            expect(dueAt(of, k) <= at && at < dueAt(of, k + 1)).toBe(true);
            expect(firstWindow(of, dueAt(of, k))).toBe(k);
          }
        },
      ),
    );
  });
});

/** What was due in every millisecond, looked at one by one; a grid holds after its `gridSince`, up to the next one's. */
function dueOneByOne(edits: readonly { since: number; grid: Grid }[], from: number, to: number): number[] {
  const due: number[] = [];
  for (let at = from; at < to; at += 1) {
    const present = edits.findLast(({ since }) => since < at);
    if (present && (at - present.grid.phaseMs) % present.grid.intervalMs === 0) due.push(at);
  }
  return due;
}

describe('an edit of the interval', () => {
  const edit = fc.integer({ min: 1, max: 40 }).chain((intervalMs) =>
    fc.record({
      after: fc.integer({ min: 1, max: 200 }),
      grid: fc.nat(intervalMs - 1).map((phaseMs) => ({ intervalMs, phaseMs })),
    }),
  );
  const story = fc.array(edit, { minLength: 1, maxLength: 6 }).map((edits) => {
    let since = 1_000;
    return edits.map(({ after, grid: of }) => ({ since: (since += after), grid: of }));
  });

  it('loses no window and counts none twice: the old grid holds up to gridSince, the new one after it', () => {
    fc.assert(
      fc.property(story, fc.integer({ min: 900, max: 2_500 }), fc.nat(800), (edits, from, length) => {
        const to = from + length;
        const spans: Span[] = edits.map((one, n) => ({
          from: one.since + 1,
          to: edits[n + 1] && edits[n + 1]!.since + 1,
          grid: one.grid,
          locations: 1,
          excused: false,
        }));
        const due = spans.flatMap((span) => {
          const last = windowsIn(span.grid, span.from, Math.min(to, span.to ?? to));
          const first = firstWindow(span.grid, span.from);
          return Array.from({ length: last }, (_, n) => dueAt(span.grid, first + n)).filter((at) => at >= from);
        });
        expect(due).toEqual(dueOneByOne(edits, from, to));
        expect(dueIn(spans, from, to).due).toBe(due.length);
      }),
      { numRuns: 300 },
    );
  });
});
