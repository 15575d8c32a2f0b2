import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventLoopStall } from './event-loop-stall.ts';

let now: number;
let stall: EventLoopStall;

beforeEach(() => {
  vi.useFakeTimers();
  now = 0;
  stall = new EventLoopStall({ now: () => now, monotonic: () => now });
});
afterEach(() => {
  stall.onModuleDestroy();
  vi.useRealTimers();
});

/** Lets a time pass of which the process stands still for the last part. */
function pass(ms: number, still = 0): void {
  for (const end = now + ms - still; now < end;) {
    const step = Math.min(100, end - now);
    now += step;
    vi.advanceTimersByTime(step);
  }
  now += still;
}

describe('a stall of the event loop', () => {
  it('is nothing while timers are on time, or a little late', () => {
    pass(5_000);
    pass(100, 15);
    vi.advanceTimersByTime(100);
    expect(stall.totalMs).toBe(0);
  });

  it('is seen at once, before any timer has run, and counted once', () => {
    pass(2_000, 1_500);
    const seen = stall.totalMs;
    expect(seen).toBeGreaterThanOrEqual(1_300);
    expect(seen).toBeLessThanOrEqual(1_500);
    vi.advanceTimersByTime(100);
    pass(3_000);
    expect(stall.totalMs).toBe(seen);
  });

  it('is summed up where a busy machine lets the process run now and then', () => {
    for (let n = 0; n < 5; n += 1) {
      pass(400, 400);
      vi.advanceTimersByTime(100);
    }
    expect(stall.totalMs).toBe(5 * 300);
  });

  it('was there during a timeout of which it was a quarter, and of nothing else', () => {
    const check = { reason: 'timeout', timeoutMs: 2_000, stalledMs: 500 };
    expect(stall.wasFrozenDuring(check)).toBe(true);
    expect(stall.wasFrozenDuring({ ...check, stalledMs: 499 })).toBe(false);
    expect(stall.wasFrozenDuring({ ...check, reason: 'connect' })).toBe(false);
    expect(stall.wasFrozenDuring({ ...check, reason: 'ok' })).toBe(false);
  });
});
