import { TocsinError } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import { LastGood } from './last-good.ts';
import type { Answer } from './types.ts';

describe('the last good answer', () => {
  const clock = { at: 1_000, now: () => clock.at, monotonic: () => clock.at };
  const fresh = <T>(value: T) => Promise.resolve({ value, ageMs: 0, stale: false, outdated: false });
  const away = () => Promise.reject(new TocsinError('unavailable', 'the database is away'));

  it('is given, marked stale, while there is no new one', async () => {
    const sut = new LastGood(clock, 60_000);
    await sut.get('a', () => fresh(1));
    clock.at += 5_000;
    expect(await sut.get('a', away)).toEqual({ value: 1, ageMs: 5_000, stale: true, outdated: true });
    expect(await sut.get('a', () => fresh(2))).toMatchObject({ value: 2, stale: false, outdated: false });
  });

  it('is given after a moment while the database does not answer at all', async () => {
    const sut = new LastGood(clock, 60_000);
    await sut.get('a', () => fresh(1));
    expect(await sut.get('a', () => new Promise<Answer<number>>(() => undefined))).toMatchObject({
      value: 1,
      stale: true,
    });
  });

  it('is not given once it is too old, nor instead of a refusal', async () => {
    const sut = new LastGood(clock, 60_000);
    await sut.get('a', () => fresh(1));
    const refused = () => Promise.reject(new TocsinError('not_found', 'gone'));
    await expect(sut.get('a', refused)).rejects.toThrow('gone');
    clock.at += 60_001;
    await expect(sut.get('a', away)).rejects.toThrow('away');
  });

  it('is forgotten once it was refused for good', async () => {
    const sut = new LastGood(clock, 60_000);
    const gone = new TocsinError('not_found', 'gone');
    await sut.get('a', () => fresh(1));
    await expect(sut.get('a', () => Promise.reject(gone))).rejects.toBe(gone);
    await expect(sut.get('a', away)).rejects.toThrow('away');
    sut.remember('b', { value: 1, ageMs: 0, stale: false, outdated: false });
    expect(() => sut.inPlaceOf('b', gone)).toThrow('gone');
    expect(() => sut.inPlaceOf('b', new TocsinError('unavailable', 'away'))).toThrow('away');
  });

  it('is forgotten too when the refusal comes after it was given', async () => {
    const sut = new LastGood(clock, 60_000);
    await sut.get('a', () => fresh(1));
    const { promise, reject } = Promise.withResolvers<Answer<number>>();
    expect(await sut.get('a', () => promise)).toMatchObject({ value: 1, stale: true, outdated: true });
    reject(new TocsinError('not_found', 'gone'));
    await promise.catch(() => undefined);
    await expect(sut.get('a', away)).rejects.toThrow('away');
  });

  it('is not replaced by an older one', async () => {
    const sut = new LastGood(clock, 60_000);
    sut.remember('a', { value: 'newer', ageMs: 1_000, stale: false, outdated: false });
    const older = { value: 'older', ageMs: 2_000, stale: true, outdated: true };
    expect(sut.remember('a', older)).toBe(older);
    expect(await sut.get('a', away)).toEqual({ value: 'newer', ageMs: 1_000, stale: true, outdated: true });
    sut.remember('a', { value: 'newest', ageMs: 0, stale: false, outdated: false });
    expect(await sut.get('a', away)).toMatchObject({ value: 'newest' });
  });

  it('is remembered for a bounded number of questions', async () => {
    const sut = new LastGood(clock, 60_000);
    await sut.get('first', () => fresh(1));
    for (let n = 0; n < 200; n += 1) await sut.get(`q${n}`, () => fresh(n));
    await expect(sut.get('first', away)).rejects.toThrow('away');
  });
});
