import { dueAt, gridOf } from '@tocsin/core';
import { monitorSpec } from '@tocsin/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ProbedMonitor, Schedule } from './schedule.ts';

const INTERVAL = 10_000;
const START = 1_800_000_000_000;

function aMonitor(id: string, over: { interval?: string; gridSince?: number; revision?: number } = {}): ProbedMonitor {
  const spec = monitorSpec.parse({
    kind: 'tcp',
    name: id,
    interval: over.interval ?? '10s',
    settings: { host: 'localhost', port: 1 },
  });
  const gridSince = over.gridSince ?? START;
  return { id, revision: over.revision ?? 1, createdAt: START, updatedAt: gridSince, gridSince, spec } as ProbedMonitor;
}

function dueBetween(monitorId: string, from: number, to: number): number[] {
  const grid = gridOf(monitorId, INTERVAL);
  const all: number[] = [];
  for (let k = Math.floor((from - grid.phaseMs) / INTERVAL); dueAt(grid, k) <= to; k++) {
    if (dueAt(grid, k) > from) all.push(dueAt(grid, k));
  }
  return all;
}

describe(Schedule.name, () => {
  it('gives every window of the grid once and in order, however the clock is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: INTERVAL - 1 }), { minLength: 1, maxLength: 60 }), (steps) => {
        const sut = new Schedule();
        sut.put(aMonitor('m1'), START, START);
        let now = START;
        const given: number[] = [];
        for (const step of steps) {
          now += step;
          given.push(...sut.take(now, 100).map((due) => due.dueAt));
        }
        expect(given).toEqual(dueBetween('m1', START, now));
      }),
    );
  });

  it('resumes after the watermark with the windows that are still open', () => {
    const sut = new Schedule();
    const now = START + 100 * INTERVAL;
    sut.put(aMonitor('m1'), now, now - 3_000);
    const given = sut.take(now + INTERVAL, 100).map((due) => due.dueAt);
    expect(given).toEqual(dueBetween('m1', now - 3_000, now + INTERVAL));
  });

  it('leaves windows that ended during a long stall to the sweep', () => {
    const sut = new Schedule();
    sut.put(aMonitor('m1'), START, START);
    const now = START + 10 * INTERVAL;
    const given = sut.take(now, 100);
    expect(given).toHaveLength(1);
    expect(now - given[0]!.dueAt).toBeLessThan(INTERVAL);
  });

  it('expects no window from before the grid took effect', () => {
    const sut = new Schedule();
    const since = START + 5 * INTERVAL + 1;
    sut.put(aMonitor('m1', { gridSince: since }), since, START);
    expect(sut.take(since, 100)).toEqual([]);
    expect(sut.take(since + INTERVAL, 100).map((due) => due.dueAt)).toEqual(dueBetween('m1', since, since + INTERVAL));
  });

  it('keeps its place when a change leaves the grid alone', () => {
    const sut = new Schedule();
    sut.put(aMonitor('m1'), START, START);
    const owed = sut.put(aMonitor('m1', { revision: 2 }), START + 2 * INTERVAL, START + 2 * INTERVAL);
    expect(owed).toEqual([]);
    expect(sut.take(START + INTERVAL, 1)[0]!.dueAt).toBe(dueBetween('m1', START, START + INTERVAL)[0]);
  });

  it('gives out what fell due before a change of the grid ended it', () => {
    const sut = new Schedule();
    sut.put(aMonitor('m1'), START, START);
    const [first] = dueBetween('m1', START, START + INTERVAL);
    const owed = sut.put(aMonitor('m1', { interval: '20s', gridSince: first! + 1, revision: 2 }), first! + 5, START);
    expect(owed.map((due) => due.dueAt)).toEqual([first]);
  });

  it('of the grid that a change ends it gives out the window that is open, not one that ended in a stall', () => {
    const sut = new Schedule();
    sut.put(aMonitor('m1'), START, START);
    const due = dueBetween('m1', START, START + 4 * INTERVAL);
    const owed = sut.put(aMonitor('m1', { interval: '20s', gridSince: due[2]! + 1, revision: 2 }), due[2]! + 5, START);
    expect(owed.map(({ dueAt: at }) => at)).toEqual([due[2]]);
  });

  it('runs a grid from its beginning where the watermark is too fresh to vouch for it', () => {
    const sut = new Schedule();
    const [first] = dueBetween('m1', START, START + INTERVAL);
    sut.put(aMonitor('m1', { gridSince: first! - 1 }), first! + 100, first! + 50);
    expect(sut.take(first! + 100, 100).map(({ dueAt: at }) => at)).toEqual([first]);
  });

  it('does not believe a watermark from a clock that was ahead', () => {
    const sut = new Schedule();
    const now = START + 100 * INTERVAL;
    sut.put(aMonitor('m1'), now, now + 3_600_000);
    expect(sut.take(now, 100).map(({ dueAt: at }) => at)).toEqual(dueBetween('m1', now - INTERVAL, now));
  });

  it('goes on from the open window when the clock is set back', () => {
    const sut = new Schedule();
    sut.put(aMonitor('m1'), START, START);
    const now = START + INTERVAL;
    sut.take(now + 3_600_000, 100);
    sut.rewind(now);
    expect(sut.take(now, 100).map(({ dueAt: at }) => at)).toEqual(dueBetween('m1', START, now));
  });

  it('forgets a monitor that was removed', () => {
    const sut = new Schedule();
    sut.put(aMonitor('m1'), START, START);
    sut.remove('m1', START);
    expect(sut.take(START + INTERVAL, 100)).toEqual([]);
    expect(sut.nextDueAt).toBeUndefined();
  });

  it('gives out what fell due before a monitor was removed, once, and nothing that was due after it', () => {
    const sut = new Schedule();
    const [first] = dueBetween('m1', START, START + INTERVAL);
    sut.put(aMonitor('m1'), START, START);
    expect(sut.remove('m1', first! + 20).map((due) => due.dueAt)).toEqual([first]);
    expect(sut.remove('m1', first! + 20)).toEqual([]);
    sut.put(aMonitor('m1'), START, START);
    sut.take(first!, 100);
    expect(sut.remove('m1', first! + 20)).toEqual([]);
    sut.put(aMonitor('m1'), START, START);
    expect(sut.remove('m1', first! - 1)).toEqual([]);
  });

  it('gives out nothing of a monitor that was removed nobody knows when', () => {
    const sut = new Schedule();
    sut.put(aMonitor('m1'), START, START);
    expect(sut.remove('m1', undefined)).toEqual([]);
  });

  it('gives no more than the limit, and the rest at the next call', () => {
    const sut = new Schedule();
    for (let i = 0; i < 10; i++) sut.put(aMonitor(`m${i}`), START, START);
    expect(sut.take(START + INTERVAL, 4)).toHaveLength(4);
    expect(sut.take(START + INTERVAL, 100)).toHaveLength(6);
  });
});
