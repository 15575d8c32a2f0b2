import { expect, test } from 'vitest';
import { timeLimited, timeLimiter, TooSlow } from './time-limited.ts';

const forEver = (): never => {
  for (;;);
};

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
