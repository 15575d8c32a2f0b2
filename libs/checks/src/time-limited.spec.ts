import { expect, onTestFinished, test, vi } from 'vitest';
import { timeLimited, timeLimiter, TooSlow } from './time-limited.ts';

const forEver = (): never => {
  for (;;);
};

/** Lets a loop that never ends be too slow even on a machine that is too busy to give it a core. */
function countWallTimeAsCpuTime(): { mockRestore: () => void } {
  const nowUs = (): number => Number(process.hrtime.bigint() / 1_000n);
  const spy = vi
    .spyOn(process, 'threadCpuUsage')
    .mockImplementation((before) => ({ user: nowUs() - (before?.user ?? 0), system: 0 }));
  onTestFinished(() => spy.mockRestore());
  return spy;
}

test('what ends in time gives its value, and throws what it throws', () => {
  expect(timeLimited(() => 42)).toBe(42);
  expect(() =>
    timeLimited(() => {
      throw new RangeError('no');
    }),
  ).toThrow(RangeError);
});

test('what does not end is ended', () => {
  const before = process.threadCpuUsage();
  expect(() => timeLimited(forEver)).toThrow(TooSlow);
  expect(process.threadCpuUsage(before).user / 1000).toBeLessThan(1_000);
  expect(timeLimited(() => 'next')).toBe('next');
});

test('what was too slow is not tried again for a while', () => {
  countWallTimeAsCpuTime();
  const limited = timeLimiter();
  expect(() => limited(forEver)).toThrow(TooSlow);
  let tried = false;
  expect(() =>
    limited(() => {
      tried = true;
    }),
  ).toThrow(TooSlow);
  expect(tried).toBe(false);
});

test('what got no time is too slow for nobody, though it was too slow before', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const limited = timeLimiter();
  const counted = countWallTimeAsCpuTime();
  expect(() => limited(forEver)).toThrow(TooSlow);
  counted.mockRestore();
  vi.advanceTimersByTime(60_000);
  const standing = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  expect(() => limited(standing)).toThrow('this prober is too busy to judge the answer');
  expect(() => limited(() => 'at once')).toThrow('this prober is too busy to judge the answer');
  vi.advanceTimersByTime(5_000);
  expect(limited(() => 'in time')).toBe('in time');
});

test('what is too slow again rests twice as long, until it ends in time', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  countWallTimeAsCpuTime();
  const limited = timeLimiter();
  let tries = 0;
  const slow = (): never => {
    tries += 1;
    return forEver();
  };
  /** Whether it is tried after a time. */
  const triedAfter = (ms: number): boolean => {
    vi.advanceTimersByTime(ms);
    const before = tries;
    expect(() => limited(slow)).toThrow(TooSlow);
    return tries > before;
  };
  expect([triedAfter(0), triedAfter(60_000), triedAfter(60_000), triedAfter(60_000)]).toEqual([
    true,
    true,
    false,
    true,
  ]);
  vi.advanceTimersByTime(240_000);
  expect(limited(() => 'in time')).toBe('in time');
  expect([triedAfter(0), triedAfter(60_000)]).toEqual([true, true]);
});
