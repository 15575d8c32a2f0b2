import { types } from 'pg';
import { TocsinError } from '@tocsin/core';

const INT8 = 20;
const DATE = 1082;
const NUMERIC = 1700;

/** How column types arrive: counts and times as numbers, days as text, the rest as the driver has it. */
export const columnTypes: { getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown } = {
  getTypeParser(oid, format) {
    if (format !== 'binary') {
      if (oid === INT8) return safeInteger;
      if (oid === NUMERIC) return Number;
      if (oid === DATE) return String;
    }
    return types.getTypeParser(oid, format);
  },
};

function safeInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new TocsinError('internal', `The bigint ${text} does not fit a number; select it as text (column::text).`);
}

/**
 * Refuses text that PostgreSQL cannot hold before it reaches the wire, where a NUL byte would end the statement
 * and half of a surrogate pair would silently become U+FFFD.
 * @throws TocsinError `invalid`
 */
export function checkValues(sql: string, params: readonly unknown[], statement: string): void {
  if (sql.includes('\0')) throw new TocsinError('internal', `Database (${statement}): the SQL text holds a NUL byte.`);
  params.forEach((value, index) => checkValue(value, index, statement));
}

function checkValue(value: unknown, index: number, statement: string): void {
  if (Array.isArray(value)) {
    value.forEach((item) => checkValue(item, index, statement));
    return;
  }
  if (typeof value !== 'string') return;
  if (value.includes('\0')) throw unstorable('a NUL character', index, statement);
  if (!value.isWellFormed()) throw unstorable('half of a surrogate pair (invalid Unicode)', index, statement);
}

function unstorable(what: string, index: number, statement: string): TocsinError {
  return new TocsinError('invalid', `Database (${statement}): value $${index + 1} holds ${what}; remove it.`, {
    details: { statement, parameter: index + 1 },
  });
}
