import { describe, expect, it } from 'vitest';
import { substitute } from './postgres-bootstrap.ts';

describe('variables in SQL', () => {
  it('are quoted as psql quotes them, so that no value can end its quotes', () => {
    const sql = `ALTER ROLE :"role" PASSWORD :'word'; SELECT 'a'::text`;
    expect(substitute(sql, { role: 'a"b', word: "it's" })).toBe(`ALTER ROLE "a""b" PASSWORD 'it''s'; SELECT 'a'::text`);
  });

  it('without a value are refused', () => {
    expect(() => substitute(`SELECT :'none'`, {})).toThrow(`:'none'`);
  });
});
