import { dueAt, durationMs, type Grid, gridOf, nextWindow, windowAt } from '@tocsin/core';
import type { AnyMonitor, ProbedSpec } from '@tocsin/contracts';
import { DueHeap } from './due-heap.ts';

/**
 * How late a holder may hear of a change. Up to a watermark all windows are published of the monitors that its holder knew:
 * of a grid that began less than this before it, perhaps none is.
 */
const HEARD_WITHIN_MS = 5_000;
/** How far the clocks of two hosts may be apart. */
const SKEW_MS = 500;

/** A monitor that is run on a grid, of whatever kind: a heartbeat is not, it calls us. */
export type ProbedMonitor = AnyMonitor & { spec: ProbedSpec };

/** One window that is due, for all locations of its monitor. */
export interface DueWindow {
  monitor: ProbedMonitor;
  window: number;
  dueAt: number;
}

interface Entry {
  monitor: ProbedMonitor;
  grid: Grid;
  next: number;
}

/**
 * The windows of one shard in the order they fall due. Holds no timer and asks no clock: it is told the time.
 * Taking windows costs the logarithm of the number of monitors, and none of those that are not due is looked at.
 */
export class Schedule {
  private readonly entries = new Map<string, Entry>();
  private heap = new DueHeap<Entry>();

  get size(): number {
    return this.entries.size;
  }

  /** When the next window is due, or undefined when there is none. */
  get nextDueAt(): number | undefined {
    this.dropStale();
    return this.heap.peek()?.dueAt;
  }

  /**
   * Takes a monitor on, or its change. Windows due after `resumeFrom` and still open at `now` are yet to be given out.
   * @param resumeFrom the shard's watermark: every window due up to then has been published. One ahead of
   * `now` comes from a clock that was wrong, and is not believed: what is open is given out, once more if need be
   * @returns windows of the grid that the change ends, which fell due before it and were not given out yet
   */
  put(monitor: ProbedMonitor, now: number, resumeFrom: number): DueWindow[] {
    const known = this.entries.get(monitor.id);
    const grid = gridOf(monitor.id, durationMs(monitor.spec.interval));
    if (known && known.monitor.gridSince === monitor.gridSince) {
      known.monitor = monitor;
      return [];
    }
    const owed = known ? this.takeFrom(known, monitor.gridSince) : [];
    const believed = resumeFrom <= now + SKEW_MS && monitor.gridSince <= resumeFrom - HEARD_WITHIN_MS;
    const first = nextWindow(grid, believed ? resumeFrom : monitor.gridSince);
    const entry: Entry = { monitor, grid, next: Math.max(first, windowAt(grid, now)) };
    if (dueAt(grid, entry.next) <= monitor.gridSince) entry.next = first;
    this.entries.set(monitor.id, entry);
    this.push(entry);
    return owed;
  }

  /**
   * Forgets a monitor that was deleted or paused.
   * @param at when it was: windows due up to then are expected. Undefined where that is not known
   * @returns windows that fell due until then and were not given out yet
   */
  remove(monitorId: string, at: number | undefined): DueWindow[] {
    const known = this.entries.get(monitorId);
    this.entries.delete(monitorId);
    return known && at !== undefined ? this.takeFrom(known, at) : [];
  }

  /**
   * The windows that are due at a time and were not given out before, oldest first.
   * @param limit how many at most; the rest are given at the next call
   */
  take(now: number, limit: number): DueWindow[] {
    const due: DueWindow[] = [];
    while (due.length < limit) {
      this.dropStale();
      const top = this.heap.peek();
      if (!top || top.dueAt > now) break;
      this.heap.pop();
      const entry = top.item;
      // Windows that ended while nobody looked (a long stall) cannot run any more: the record's sweep accounts for them.
      entry.next = Math.max(entry.next, windowAt(entry.grid, now));
      due.push({ monitor: entry.monitor, window: entry.next, dueAt: dueAt(entry.grid, entry.next) });
      entry.next += 1;
      this.push(entry);
    }
    return due;
  }

  /**
   * The clock was set back to a time. Windows further ahead than the next one were given out too early, or skipped on the
   * way there: from the one that is open now on they are given out again, under the same ids.
   */
  rewind(now: number): void {
    this.heap = new DueHeap<Entry>();
    for (const entry of this.entries.values()) {
      entry.next = withinReach(entry, now);
      this.push(entry);
    }
  }

  private takeFrom({ monitor, grid, next }: Entry, until: number): DueWindow[] {
    const window = windowAt(grid, until);
    return window >= next ? [{ monitor, window, dueAt: dueAt(grid, window) }] : [];
  }

  private push(entry: Entry): void {
    this.heap.push(dueAt(entry.grid, entry.next), entry);
  }

  /** Entries that were replaced or removed stay in the heap until they come up: cheaper than finding them. */
  private dropStale(): void {
    for (let top = this.heap.peek(); top; top = this.heap.peek()) {
      if (this.entries.get(top.item.monitor.id) === top.item) return;
      this.heap.pop();
    }
  }
}

/** The window to give out next: never further ahead of the clock than the one after the open one. */
function withinReach({ monitor, grid, next }: Entry, now: number): number {
  const open = windowAt(grid, now);
  return next <= open + 1 ? next : Math.max(open, nextWindow(grid, monitor.gridSince));
}
