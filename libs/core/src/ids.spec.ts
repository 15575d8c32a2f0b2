import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hash32, idFrom, newId } from './ids.ts';

const UUID = (version: number) => new RegExp(`^[0-9a-f]{8}-[0-9a-f]{4}-${version}[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`); // prettier-ignore

describe('a new identifier', () => {
  it('is a UUID version 7 that says when it was made', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (now) => {
        const id = newId(now);
        expect(id).toMatch(UUID(7));
        expect(parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(now);
      }),
    );
  });

  it('made later sorts later', () => {
    fc.assert(
      fc.property(fc.nat(4e12), fc.integer({ min: 1, max: 1e9 }), (now, later) => {
        expect(newId(now) < newId(now + later)).toBe(true);
      }),
    );
  });

  it('is another each time, also within a millisecond', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => newId(1))).size).toBe(10_000);
  });
});

describe('the identifier of a name', () => {
  it('is a UUID version 8, the same for the same name', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(idFrom(name)).toMatch(UUID(8));
        expect(idFrom(name)).toBe(idFrom(name));
      }),
    );
  });

  it('is another for another name', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(idFrom(a) === idFrom(b)).toBe(a === b);
      }),
    );
  });
});

describe('the hash', () => {
  it('never changes: grids and shards hang on it', () => {
    expect([hash32(''), hash32('a'), hash32('tocsin')]).toEqual([2_872_998_923, 444_641_715, 1_417_615_328]);
  });

  it('is an unsigned 32-bit number', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(hash32(text)).toBe(hash32(text) >>> 0);
      }),
    );
  });

  it('near texts land far apart', () => {
    const top = new Set(Array.from({ length: 256 }, (_, i) => hash32(`monitor-${i}`) >>> 24));
    expect(top.size).toBeGreaterThan(130);
  });
});
