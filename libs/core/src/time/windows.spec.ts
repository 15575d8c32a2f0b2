import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idFrom } from '../ids.ts';
import { dueAt, gridOf, nextWindow, shardOf, windowAt } from './windows.ts';

const monitorId = fc.uuid();
const intervalMs = fc.integer({ min: 1_000, max: 86_400_000 });
const time = fc.integer({ min: 0, max: 4_102_444_800_000 });

describe('the grid of a monitor', () => {
  it('is the same for everybody who asks', () => {
    fc.assert(
      fc.property(monitorId, intervalMs, (id, interval) => {
        expect(gridOf(id, interval)).toEqual(gridOf(id, interval));
      }),
    );
  });

  it('has a phase within the interval', () => {
    fc.assert(
      fc.property(monitorId, intervalMs, (id, interval) => {
        const { phaseMs } = gridOf(id, interval);
        expect(phaseMs).toBeGreaterThanOrEqual(0);
        expect(phaseMs).toBeLessThan(interval);
      }),
    );
  });

  it('is exact: a window is due one interval after the one before, wherever it is', () => {
    fc.assert(
      fc.property(monitorId, intervalMs, time, (id, interval, at) => {
        const grid = gridOf(id, interval);
        const k = windowAt(grid, at);
        expect(dueAt(grid, k + 1) - dueAt(grid, k)).toBe(interval);
        expect(windowAt(grid, dueAt(grid, k))).toBe(k);
        expect(windowAt(grid, dueAt(grid, k) - 1)).toBe(k - 1);
      }),
    );
  });

  it('every time belongs to exactly one window: due by then, and ended by the next', () => {
    fc.assert(
      fc.property(monitorId, intervalMs, time, (id, interval, at) => {
        const grid = gridOf(id, interval);
        const k = windowAt(grid, at);
        const holds = [k - 1, k, k + 1].filter((w) => dueAt(grid, w) <= at && at < dueAt(grid, w + 1));
        expect(holds).toEqual([k]);
      }),
    );
  });

  it('the next window is the first that is due strictly later', () => {
    fc.assert(
      fc.property(monitorId, intervalMs, time, (id, interval, at) => {
        const grid = gridOf(id, interval);
        const next = nextWindow(grid, at);
        expect(dueAt(grid, next)).toBeGreaterThan(at);
        expect(dueAt(grid, next - 1)).toBeLessThanOrEqual(at);
      }),
    );
  });

  it('phases of many monitors spread over the interval: no herd', () => {
    const second = Array.from({ length: 60 }, () => 0);
    for (let i = 0; i < 6_000; i++) second[Math.floor(gridOf(idFrom(`m${i}`), 60_000).phaseMs / 1_000)]!++;
    expect(Math.max(...second)).toBeLessThan(160);
    expect(Math.min(...second)).toBeGreaterThan(50);
  });
});

describe('the shard of a monitor', () => {
  it('is one of the shards, always the same', () => {
    fc.assert(
      fc.property(monitorId, fc.integer({ min: 1, max: 64 }), (id, shards) => {
        const shard = shardOf(id, shards);
        expect(shard).toBe(shardOf(id, shards));
        expect(Number.isInteger(shard) && shard >= 0 && shard < shards).toBe(true);
      }),
    );
  });

  it('shards get about as many monitors each, whatever their phases', () => {
    const count = Array.from({ length: 8 }, () => 0);
    for (let i = 0; i < 8_000; i++) count[shardOf(idFrom(`m${i}`), 8)]!++;
    expect(Math.min(...count)).toBeGreaterThan(850);
    expect(Math.max(...count)).toBeLessThan(1_150);
  });
});
