import { sealSecret } from '@tocsin/core';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { duration, epochMs, id, limit, line, locationName, page, secret, tag, text, time } from './fields.ts';

function takes(schema: z.ZodType, value: unknown): boolean {
  return schema.safeParse(value).success;
}

function reasonOf(schema: z.ZodType, value: unknown): string | undefined {
  return schema.safeParse(value).error?.issues[0]?.message;
}

describe('an identifier', () => {
  it('is the same in upper case, and goes on in lower case', () => {
    expect(id.parse('0194F3C2-7A1B-7C3D-8E4F-0123456789AB')).toBe('0194f3c2-7a1b-7c3d-8e4f-0123456789ab');
  });
});

describe('a duration field', () => {
  const field = duration('1s', '1d');

  it.each(['1s', '60s', '24h', '1d', '1000ms'])('takes %s, within its bounds', (value) => {
    expect(takes(field, value)).toBe(true);
  });

  it.each(['999ms', '0s', '25h', '2d'])('refuses %s, and says the bounds', (value) => {
    expect(reasonOf(field, value)).toBe('must be between 1s and 1d');
  });

  it.each(['1', '1 s', 'soon', ''])('refuses %j, and says how one is written', (value) => {
    expect(reasonOf(field, value)).toMatch(/such as 500ms/);
  });
});

describe('text', () => {
  it('may have lines and tabs; one line may not', () => {
    expect(takes(text(20), 'a\n\tb')).toBe(true);
    for (const value of ['a\nb', 'a\tb', 'a\r\nb']) expect([value, takes(line(20), value)]).toEqual([value, false]);
    expect(takes(line(20), 'Größe 5 €')).toBe(true);
  });

  it.each(['a\rb', '\u0000', '\u001b[31m', '\u007f', '\ud800'])(
    'may not have %j: it ends in headers and logs',
    (value) => {
      expect(takes(text(20), value)).toBe(false);
      expect(takes(line(20), value)).toBe(false);
    },
  );

  it('is bounded', () => {
    expect([takes(text(3), 'abc'), takes(text(3), 'abcd'), takes(line(3), ''), takes(text(3), '')]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });
});

describe('a secret', () => {
  it('is bounded in plain, and may be longer sealed', () => {
    const plain = 'x'.repeat(100);
    expect(takes(secret(100), plain)).toBe(true);
    expect(reasonOf(secret(100), `${plain}x`)).toMatch(/at most 100/);
    expect(takes(secret(100), sealSecret([randomBytes(32)], plain))).toBe(true);
    expect(takes(secret(), '')).toBe(false);
  });
});

describe('names', () => {
  it.each(['prod', 'team:a', 'eu/west-1', '1.x_y'])('%s is a tag', (value) => {
    expect(takes(tag, value)).toBe(true);
  });

  it.each(['', 'Prod', '-x', 'a b', 'x'.repeat(64), 'a,b'])('%j is none', (value) => {
    expect(takes(tag, value)).toBe(false);
  });

  it.each(['default', 'eu-west-1'])('%s is a location', (value) => {
    expect(takes(locationName, value)).toBe(true);
  });

  // It becomes a part of a subject: no dots, stars or spaces.
  it.each(['', 'eu.west', '*', '>', 'a b', 'EU', 'x'.repeat(32)])('%j is none', (value) => {
    expect(takes(locationName, value)).toBe(false);
  });
});

describe('numbers', () => {
  it('a time is whole milliseconds that a date can hold', () => {
    expect([0, Date.now(), 8.64e15].map((value) => takes(epochMs, value))).toEqual([true, true, true]);
    expect([-1, 1.5, 8.64e15 + 1, '0', Number.NaN].filter((value) => takes(epochMs, value))).toEqual([]);
  });

  it('a time that a person gives is taken as RFC 3339 with any offset, or as milliseconds', () => {
    const same = ['2026-11-21T09:30:00Z', '2026-11-21T10:30:00.000+01:00', 1_795_253_400_000, '1795253400000'];
    expect(same.map((value) => time.parse(value))).toEqual(same.map(() => 1_795_253_400_000));
    const wrong = ['yesterday', '2026-11-21', '2026-11-21T09:30:00', '1e3', '', -1, 1.5, 8.64e15 + 1, true, null];
    expect(wrong.filter((value) => takes(time, value))).toEqual([]);
  });

  it('a page has 1 to 500 items, 100 if not said', () => {
    expect(limit.parse(undefined)).toBe(100);
    expect(limit.parse('500')).toBe(500);
    expect(['0', '501', '1.5', 'x', '-1'].filter((value) => takes(limit, value))).toEqual([]);
  });
});

describe('a page', () => {
  it('has items and, but for the last, where to go on', () => {
    const pages = page(tag);
    expect(pages.parse({ items: ['a'] })).toEqual({ items: ['a'] });
    expect(pages.parse({ items: [], next: 'n' })).toEqual({ items: [], next: 'n' });
    expect(takes(pages, { items: ['Not a tag'] })).toBe(false);
  });
});
