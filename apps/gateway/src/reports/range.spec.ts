import { routes } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { rangeOf, requireFewSteps } from './range.ts';

const DAY = 86_400_000;
const query = (text: Record<string, string>) => routes.uptime.query.parse(text);

describe('the range of a report', () => {
  it('is the last day, unless said', () => {
    expect(rangeOf(query({}), 10 * DAY)).toEqual({ from: 9 * DAY, to: 10 * DAY });
    expect(rangeOf(query({ to: '172800000' }), 10 * DAY)).toEqual({ from: DAY, to: 2 * DAY });
  });

  it('is given in ISO 8601 with a zone or in milliseconds', () => {
    const range = rangeOf(query({ from: '2026-11-21T00:00:00+01:00', to: '2026-11-21T00:00:00Z' }), 0);
    expect(range.to - range.from).toBe(3_600_000);
    expect(query({ from: '1795219200000' })).toEqual({ from: Date.UTC(2026, 10, 21) });
    for (const bad of ['yesterday', '2026-11-21', '-5', '1e3', '99999999999999999']) {
      expect(() => query({ from: bad })).toThrow(/expected a time|Too big/);
    }
  });

  it('must end after it begins', () => {
    expect(() => rangeOf({ from: 5, to: 5 }, 0)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it('has at most 5,000 steps, so that an answer is bounded', () => {
    expect(() => requireFewSteps({ from: 0, to: 5_000 * 300_000 }, 300)).not.toThrow();
    expect(() => requireFewSteps({ from: 0, to: 5_001 * 300_000 }, 300)).toThrow(/longer step/);
  });
});
