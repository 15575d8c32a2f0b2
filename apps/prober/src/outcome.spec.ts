import { describe, expect, test } from 'vitest';
import { outcomeOf } from './outcome.ts';

describe('how a check met its window', () => {
  const task = { attempt: 0, dueAt: 10_000, intervalMs: 4_000 };

  test('ran up to half an interval after it was due, late from then on', () => {
    expect(outcomeOf(task, 12_000)).toBe('ran');
    expect(outcomeOf(task, 12_001)).toBe('late');
  });

  test('is late after 5 s however long the interval is', () => {
    expect(outcomeOf({ ...task, intervalMs: 86_400_000 }, 15_000)).toBe('ran');
    expect(outcomeOf({ ...task, intervalMs: 86_400_000 }, 15_001)).toBe('late');
  });

  test('ran when the clock of this host is behind', () => {
    expect(outcomeOf(task, 9_000)).toBe('ran');
  });

  test('is never late for a confirmation or a manual check', () => {
    expect(outcomeOf({ ...task, attempt: 1 }, 99_000)).toBe('ran');
  });
});
