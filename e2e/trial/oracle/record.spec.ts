import { describe, expect, it } from 'vitest';
import { compareWithRecord, type Recorded } from './record.ts';
import { dueTimesOf } from './windows.ts';

const range = { from: 1_700_000_000_000, to: 1_700_000_060_000 };
const monitors = [0, 1].map((n) => ({
  n,
  name: '',
  id: `monitor ${n}`,
  intervalMs: 10_000,
  ...(n === 1 ? { flips: { offsetMs: 0 } } : {}),
}));
const [RAN, MISSED] = [0, 2];

function compared(change: (recorded: Recorded[], hits: number[][]) => void) {
  const dues = monitors.map((monitor) => dueTimesOf(monitor, range));
  const recorded = monitors.map(({ id }, n) => ({
    monitorId: id,
    due: [...dues[n]!],
    outcomes: dues[n]!.map(() => RAN),
  }));
  const hits = dues.map((due) => due.map((at) => at + 10));
  change(recorded, hits);
  const counts = compareWithRecord(monitors, recorded, (n) => hits[n]!, range);
  const { byOutcome, surplus } = counts;
  const [unaccounted, lost, unseen] = [counts.unaccounted, counts.lostResults, counts.unseenRuns].map((l) => l.length);
  return { byOutcome, surplus, unaccounted, lost, unseen, ofFirst: counts.ofMonitor.get('monitor 0') };
}

describe('the record against the grid and the targets', () => {
  it('agrees when it says of every window what the targets saw', () => {
    expect(compared(() => undefined)).toEqual({
      byOutcome: { ran: 12, late: 0, missed: 0, excused: 0 },
      ofFirst: { ran: 6, late: 0, missed: 0, excused: 0 },
      surplus: 0,
      unaccounted: 0,
      lost: 0,
      unseen: 0,
    });
  });

  it('leaves a window unaccounted that it says nothing of', () => {
    const without = (recorded: Recorded[]) => {
      recorded[0]!.due.splice(3, 1);
      recorded[0]!.outcomes.splice(3, 1);
    };
    expect(compared(without)).toMatchObject({ unaccounted: 1, byOutcome: { ran: 11 }, ofFirst: { ran: 5 } });
    expect(compared((recorded) => void recorded.pop())).toMatchObject({ unaccounted: 6 });
  });

  it('has a surplus where it says a thing twice, or of no window', () => {
    const add = (due: number) => (recorded: Recorded[]) => {
      recorded[0]!.due.push(due);
      recorded[0]!.outcomes.push(RAN);
    };
    expect(compared(add(dueTimesOf(monitors[0]!, range)[0]!))).toMatchObject({ surplus: 1, unaccounted: 0 });
    expect(compared(add(range.from + 1))).toMatchObject({ surplus: 1, unaccounted: 0 });
  });

  it('has lost a result that it calls missed though the target was hit', () => {
    expect(compared((recorded) => (recorded[0]!.outcomes[3] = MISSED))).toMatchObject({ lost: 1, unseen: 0 });
    const both = (recorded: Recorded[], hits: number[][]) => {
      recorded[0]!.outcomes[3] = MISSED;
      hits[0]!.splice(3, 1);
    };
    expect(compared(both)).toMatchObject({ lost: 0, unseen: 0, byOutcome: { missed: 1 } });
  });

  it('may hit the target a little after the window that it began in, and that hit speaks for no other window', () => {
    const late = (recorded: Recorded[], hits: number[][]) => {
      hits[0]![3]! += 10_500;
      recorded[0]!.outcomes[4] = MISSED;
      hits[0]!.splice(4, 1);
    };
    expect(compared(late)).toMatchObject({ lost: 0, unseen: 0 });
    const later = (_: Recorded[], hits: number[][]) => {
      hits[0]![3]! += 12_000;
      hits[0]!.splice(4, 1);
    };
    expect(compared(later)).toMatchObject({ lost: 0, unseen: 1 });
  });

  it('says nothing of lost results where a confirmation may have hit the target', () => {
    expect(compared((recorded) => (recorded[1]!.outcomes[3] = MISSED))).toMatchObject({ lost: 0 });
  });

  it('says that something ran which no target saw', () => {
    expect(compared((_, hits) => hits[0]!.splice(3, 1))).toMatchObject({ unseen: 1, lost: 0 });
  });
});
