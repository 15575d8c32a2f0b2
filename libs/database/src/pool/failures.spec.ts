import { TocsinError } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import { classify } from './failures.ts';

function fromServer(code: string, message = 'it says so'): Error {
  return Object.assign(new Error(message), { code, severity: 'ERROR', constraint: 'one_of_a_kind' });
}

function told(cause: unknown): [kind: string, code: string, retry: boolean] {
  const { kind, error } = classify(cause, 'a statement');
  return [kind, error.code, error.retry];
}

describe('a failure of the database', () => {
  it.each([
    ['the server shuts down', '57P01', 'terminating connection due to administrator command'],
    ['the server starts', '57P03', 'the database system is starting up'],
    ['the server was the primary and is a standby now', '25006', 'cannot execute UPDATE in a read-only transaction'],
    ['the connection is broken', '08006', 'connection failure'],
    ['the database takes no connections for now', '55000', 'database "tocsin" is not currently accepting connections'],
  ])('%s: look for the primary again, and it may work later', (_, code, message) => {
    expect(told(fromServer(code, message))).toEqual(['connection', 'unavailable', true]);
  });

  it('a connection that the network refuses: the same', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
    expect(told(refused)).toEqual(['connection', 'unavailable', true]);
  });

  it('another object that is not in the state needed (55000) is a defect', () => {
    expect(told(fromServer('55000', 'cannot refresh materialized view'))).toEqual(['refused', 'internal', false]);
  });

  it.each(['40001', '40P01'])('lost against another transaction (%s): run it again', (code) => {
    expect(told(fromServer(code))).toEqual(['again', 'unavailable', true]);
  });

  it('a plan older than its table is made again', () => {
    expect(told(fromServer('0A000', 'cached plan must not change result type'))[0]).toBe('outdated');
    expect(told(fromServer('0A000', 'not supported'))[0]).toBe('refused');
  });

  it.each([
    ['23505', 'conflict', false],
    ['23503', 'conflict', false],
    ['23514', 'invalid', false],
    ['22003', 'invalid', false],
    ['57014', 'deadline', true],
    ['55P03', 'deadline', true],
    ['53300', 'unavailable', true],
    ['42P01', 'internal', false],
    ['XX000', 'internal', false],
  ])('%s means %s', (code, meaning, retry) => {
    expect(told(fromServer(code))).toEqual(['refused', meaning, retry]);
  });

  it('keeps its cause, names the statement and the constraint', () => {
    const cause = fromServer('23505');
    const { error } = classify(cause, 'monitor insert');
    expect(error).toMatchObject({ cause, details: { sqlState: '23505', constraint: 'one_of_a_kind' } });
    expect(error.message).toContain('monitor insert');
  });

  it('that is classified already stays what it is', () => {
    const error = new TocsinError('conflict', 'no');
    expect(classify(error, 'x')).toEqual({ kind: 'refused', error });
  });
});
