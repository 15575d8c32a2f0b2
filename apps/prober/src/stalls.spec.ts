import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Stalls } from './stalls.ts';

let now: number;
let stalls: Stalls;

beforeEach(() => {
  vi.useFakeTimers();
  now = 0;
  stalls = new Stalls({ now: () => now, monotonic: () => now });
});
afterEach(() => {
  stalls.onModuleDestroy();
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

describe('stalls', () => {
  it('are none while timers are on time, or a little late', () => {
    pass(5_000);
    pass(100, 15);
    vi.advanceTimersByTime(100);
    expect(stalls.totalMs).toBe(0);
  });

  it('are seen at once, before any timer has run, and counted once', () => {
    pass(2_000, 1_500);
    const seen = stalls.totalMs;
    expect(seen).toBeGreaterThanOrEqual(1_300);
    expect(seen).toBeLessThanOrEqual(1_500);
    vi.advanceTimersByTime(100);
    pass(3_000);
    expect(stalls.totalMs).toBe(seen);
  });

  it('are summed up where a busy machine lets the process run now and then', () => {
    for (let n = 0; n < 5; n += 1) {
      pass(400, 400);
      vi.advanceTimersByTime(100);
    }
    expect(stalls.totalMs).toBe(5 * 300);
  });

  it('explain a timeout of which they were a quarter, and nothing else', () => {
    const check = { reason: 'timeout', timeoutMs: 2_000, stalledMs: 500 };
    expect(stalls.explain(check)).toBe(true);
    expect(stalls.explain({ ...check, stalledMs: 499 })).toBe(false);
    expect(stalls.explain({ ...check, reason: 'connect' })).toBe(false);
    expect(stalls.explain({ ...check, reason: 'ok' })).toBe(false);
  });
});
