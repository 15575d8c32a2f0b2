import { dueAt, gridOf, windowAt } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import { countWindows, dueTimesOf } from './windows.ts';

const range = { from: 1_700_000_000_000, to: 1_700_000_060_000 };
const monitors = [5_000, 10_000].flatMap((intervalMs, kind) =>
  Array.from({ length: 3 }, (_, i) => ({ n: kind * 3 + i, name: '', id: `monitor ${kind} ${i}`, intervalMs })),
);
/** Every window hit 20 ms after it was due. */
const wellRun = () => monitors.map((monitor) => dueTimesOf(monitor, range).map((due) => due + 20));

function counted(change: (hits: number[][]) => void) {
  const hits = wellRun();
  change(hits);
  return countWindows(monitors, (n) => hits[n] ?? [], range);
}

describe('the windows that the targets saw', () => {
  it('are those of the grid that are due in the range', () => {
    const [monitor] = monitors;
    const grid = gridOf(monitor!.id, 5_000);
    const first = windowAt(grid, range.from - 1) + 1;
    expect(dueTimesOf(monitor!, range)).toEqual(Array.from({ length: 12 }, (_, k) => dueAt(grid, first + k)));
  });

  it('all ran when each was hit in time', () => {
    const counts = counted(() => undefined);
    expect(counts).toMatchObject({ due: 54, ran: 54, late: 0, missed: 0, missedLong: 0, worstLateMs: 20 });
    expect(counts.worstGapMs).toBeLessThan(5_000);
  });

  it('are missed where the hit is gone', () => {
    const counts = counted((hits) => hits[4]!.splice(2, 1));
    expect(counts).toMatchObject({ ran: 53, missed: 1, missedLong: 1, late: 0 });
    expect(counts.missedWindows).toMatchObject([{ n: 4, dueAt: dueTimesOf(monitors[4]!, range)[2] }]);
    expect(counted((hits) => hits[0]!.splice(2, 1))).toMatchObject({ missed: 1, missedLong: 0 });
  });

  it('are late where the hit came more than 3 s after they were due', () => {
    const counts = counted((hits) => (hits[4]![2]! += 3_000));
    expect(counts).toMatchObject({ ran: 53, late: 1, missed: 0, worstLateMs: 3_020 });
    expect(counts.lateWindows).toMatchObject([{ n: 4, lateMs: 3_020 }]);
    expect(counted((hits) => (hits[4]![2]! += 2_900))).toMatchObject({ ran: 54, late: 0, worstLateMs: 2_920 });
  });

  it('are missed where the hit came when the next was due', () => {
    expect(counted((hits) => (hits[0]![2]! += 4_981))).toMatchObject({ missed: 1, late: 0 });
  });

  it('are not run twice by two hits of one', () => {
    expect(counted((hits) => hits[0]!.splice(2, 1, hits[0]![1]! + 100))).toMatchObject({ ran: 53, missed: 1 });
  });

  it('show the longest time in which nothing at all was checked', () => {
    const counts = counted((hits) =>
      hits.forEach(
        (times, n) => (hits[n] = times.filter((at) => at < range.from + 20_000 || at > range.from + 33_000)),
      ),
    );
    expect(counts.worstGapMs).toBeGreaterThanOrEqual(13_000);
    expect(counts.worstGapMs).toBeLessThan(20_000);
    expect(countWindows(monitors, () => [], range).worstGapMs).toBe(60_000);
  });
});
