import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OutageBackoff } from './outage-backoff.ts';

let resumed: number;
let backoff: OutageBackoff;

beforeEach(() => {
  vi.useFakeTimers();
  resumed = 0;
  backoff = new OutageBackoff(() => (resumed += 1));
});
afterEach(() => vi.useRealTimers());

function waitForResume(): number {
  const from = Date.now();
  while (backoff.isPaused) vi.advanceTimersByTime(10);
  return Date.now() - from;
}

describe('the back-off of a worker', () => {
  it('pauses from the second attempt in a row that met an outage, and the pauses grow to one second', () => {
    const pauses = Array.from({ length: 6 }, () => {
      backoff.dependencyFailed();
      return waitForResume();
    });
    expect(pauses).toEqual([0, 250, 500, 1_000, 1_000, 1_000]);
    expect(resumed).toBe(5);
  });

  it('does not count attempts that began before the pause', () => {
    for (let n = 0; n < 16; n += 1) backoff.dependencyFailed();
    expect(waitForResume()).toBe(250);
    backoff.dependencyFailed();
    expect(waitForResume()).toBe(500);
  });

  it('resumes at once when a dependency answers, and counts from zero again', () => {
    for (let n = 0; n < 2; n += 1) backoff.dependencyFailed();
    backoff.dependencyAnswered();
    expect([backoff.isPaused, resumed]).toEqual([false, 1]);
    backoff.dependencyFailed();
    expect(backoff.isPaused).toBe(false);
  });
});
