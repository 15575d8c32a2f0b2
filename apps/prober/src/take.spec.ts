import { describe, expect, test } from 'vitest';
import { restOfUnsupported, take } from './take.ts';

const by = { prober: 'a', stopping: false, supported: true, deliveries: 1, now: 1_000 };

describe('what a prober does with a task', () => {
  test('runs it while its window lasts', () => {
    expect(take({ expiresAt: 1_001 }, by)).toBe('run');
  });

  test('does not run it once its window has ended', () => {
    expect(take({ expiresAt: 1_000 }, by)).toBe('expired');
  });

  test('hands it back when it stops, even one whose window has ended', () => {
    expect(take({ expiresAt: 1_001 }, { ...by, stopping: true })).toBe('stopping');
    expect(take({ expiresAt: 999 }, { ...by, stopping: true })).toBe('stopping');
  });

  test('leaves it to another when it should avoid it', () => {
    expect(take({ expiresAt: 1_001, avoid: ['b', 'a'] }, by)).toBe('avoid');
    expect(take({ expiresAt: 1_001, avoid: ['b'] }, by)).toBe('run');
  });

  test('runs one that it should avoid when nobody else took it nine times', () => {
    expect(take({ expiresAt: 1_001, avoid: ['a'] }, { ...by, deliveries: 9 })).toBe('avoid');
    expect(take({ expiresAt: 1_001, avoid: ['a'] }, { ...by, deliveries: 10 })).toBe('run');
  });

  test('answers an expired one as missed even when it should avoid it', () => {
    expect(take({ expiresAt: 999, avoid: ['a'] }, by)).toBe('expired');
  });

  test('leaves a check of a kind that it does not know to another, until its window has ended', () => {
    const unable = { ...by, supported: false };
    expect(take({ expiresAt: 1_001 }, { ...unable, deliveries: 99 })).toBe('unsupported');
    expect(take({ expiresAt: 1_000 }, unable)).toBe('expired');
    expect(take({ expiresAt: 1_001 }, { ...unable, stopping: true })).toBe('stopping');
  });
});

describe('a task that this prober cannot run', () => {
  const rests = (expiresAt: number, deliveries: number[]) =>
    deliveries.map((nth) => restOfUnsupported({ expiresAt }, { deliveries: nth, now: 1_000 }));

  test('is offered to others at once, and less often the longer nobody can', () => {
    expect(rests(86_400_000, [1, 2, 3, 8, 12, 1_000])).toEqual([10, 20, 40, 1_280, 15_000, 15_000]);
  });

  test('comes back when its window ends, to be answered', () => {
    expect(rests(1_030, [1, 2, 3, 1_000])).toEqual([10, 20, 30, 30]);
    expect(rests(900, [1])).toEqual([0]);
  });
});
