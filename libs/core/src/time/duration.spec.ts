import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationMs, isDuration } from './duration.ts';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

describe('a duration', () => {
  it.each([
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['366d', 31_622_400_000],
  ])('%s is %d ms', (text, ms) => {
    expect(isDuration(text)).toBe(true);
    expect(durationMs(text)).toBe(ms);
  });

  it.each(['', '5', 's', '05s', '-1s', '1.5s', '1 s', '1S', '1w', '1h30m', ' 1s', '1s\n', '9999999999s'])(
    '%j is none',
    (text) => {
      expect(isDuration(text)).toBe(false);
      expect(() => durationMs(text)).toThrow(RangeError);
    },
  );

  it('is its number times its unit', () => {
    fc.assert(
      fc.property(fc.nat(999_999_999), fc.constantFrom(...Object.keys(UNITS)), (n, unit) => {
        expect(durationMs(`${n}${unit}`)).toBe(n * UNITS[unit as keyof typeof UNITS]);
      }),
    );
  });
});
