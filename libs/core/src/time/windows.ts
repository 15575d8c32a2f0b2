import { hash32 } from '../ids.ts';

/** A monitor's fixed grid of windows: window k is due at `phaseMs + k × intervalMs` after the Unix epoch. */
export interface Grid {
  intervalMs: number;
  phaseMs: number;
}

/**
 * The grid of a monitor. It depends on the identifier and the interval alone, so every instance computes the same
 * windows without asking anyone; the phase is spread over the interval by hash, so there is no thundering herd at :00.
 */
export function gridOf(monitorId: string, intervalMs: number): Grid {
  return { intervalMs, phaseMs: hash32(monitorId) % intervalMs };
}

/** The window that is open at a time: the last one whose due time is not after it. */
export function windowAt(grid: Grid, atMs: number): number {
  return Math.floor((atMs - grid.phaseMs) / grid.intervalMs);
}

/** When a window is due, in milliseconds since the epoch. It ends when the next one is due. */
export function dueAt(grid: Grid, window: number): number {
  return grid.phaseMs + window * grid.intervalMs;
}

/** The first window due strictly after a time. */
export function nextWindow(grid: Grid, afterMs: number): number {
  return windowAt(grid, afterMs) + 1;
}

/** The shard that a monitor belongs to, of a fixed number of shards. */
export function shardOf(monitorId: string, shards: number): number {
  return hash32(`shard:${monitorId}`) % shards;
}
