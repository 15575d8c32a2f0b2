import { MANUAL_ATTEMPT } from '@tocsin/contracts';
import { gridOf, MANUAL_ATTEMPTS_FROM } from '@tocsin/core';
import { aMonitor } from '@tocsin/testing';
import { describe, expect, it } from 'vitest';
import { isDueIn, rulesOf } from './held-monitor.ts';

describe('what counts as the check of a due window', () => {
  const grid = gridOf('m', 10_000);
  const due = grid.phaseMs + 1_000 * grid.intervalMs;
  const span = { from: due - 5, until: due + 5, ...grid, locations: ['a'], excused: false };

  it('is on the grid of its span, within it, and from one of its locations', () => {
    expect(isDueIn(span, { dueAt: due, location: 'a' })).toBe(true);
    expect(isDueIn(span, { dueAt: due + 1, location: 'a' })).toBe(false);
    expect(isDueIn(span, { dueAt: due, location: 'b' })).toBe(false);
    expect(isDueIn({ ...span, until: due }, { dueAt: due, location: 'a' })).toBe(false);
    expect(isDueIn({ ...span, from: due + 1 }, { dueAt: due, location: 'a' })).toBe(false);
  });

  it('is nothing in a pause', () => {
    expect(isDueIn({ ...span, excused: true }, { dueAt: due, location: 'a' })).toBe(false);
  });
});

describe('rules', () => {
  it('hold what deciding needs, in milliseconds', () => {
    const { id, spec } = aMonitor({ spec: { interval: '30s', timeout: '5s' } });
    expect(rulesOf(id, spec)).toMatchObject({
      intervalMs: 30_000,
      timeoutMs: 5_000,
      quorum: 1,
      locations: ['default'],
    });
  });

  it('core and contracts agree on what a manual attempt is', () => {
    expect(MANUAL_ATTEMPTS_FROM).toBe(MANUAL_ATTEMPT);
  });
});
