import { describe, expect, it } from 'vitest';
import { segments } from './segments.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = 20_000 * DAY;

describe('segments of a range', () => {
  it('without roll-ups everything is read from single results', () => {
    expect(segments(START, START + DAY, {})).toEqual([{ from: START, to: START + DAY, level: 'raw' }]);
  });

  it('each stretch is read from the coarsest complete roll-ups that lie wholly in it', () => {
    const progress = { done300: START + 3 * DAY, done3600: START + 3 * DAY, done86400: START + 3 * DAY };
    const from = START - HOUR - 2 * MINUTE;
    const to = START + DAY + HOUR + 7 * MINUTE;
    expect(segments(from, to, progress)).toEqual([
      { from, to: START - HOUR, level: 'raw' },
      { from: START - HOUR, to: START, level: 3_600 },
      { from: START, to: START + DAY, level: 86_400 },
      { from: START + DAY, to: START + DAY + HOUR, level: 3_600 },
      { from: START + DAY + HOUR, to: START + DAY + HOUR + 5 * MINUTE, level: 300 },
      { from: START + DAY + HOUR + 5 * MINUTE, to, level: 'raw' },
    ]);
  });

  it('the newest stretch is read from single results until it is rolled up', () => {
    const found = segments(START, START + HOUR, { done300: START + 10 * MINUTE });
    expect(found).toEqual([
      { from: START, to: START + 10 * MINUTE, level: 300 },
      { from: START + 10 * MINUTE, to: START + HOUR, level: 'raw' },
    ]);
  });

  it('stretches meet without a gap and without an overlap', () => {
    const parts = segments(START + 17, START + 2 * DAY + 12_345, { done300: START + 2 * DAY, done3600: START + DAY });
    expect(parts[0]?.from).toBe(START + 17);
    expect(parts.at(-1)?.to).toBe(START + 2 * DAY + 12_345);
    parts.slice(1).forEach((part, index) => expect(part.from).toBe(parts[index]?.to));
  });
});
