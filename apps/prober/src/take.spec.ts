import { describe, expect, test } from 'vitest';
import { take } from './take.ts';

const by = { prober: 'a', stopping: false, deliveries: 1, now: 1_000 };

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
});
