import { TocsinError } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import { HandBack } from './hand-back.ts';
import { type DeliveryHistory, countsAsFailure, settle, UnparsablePayload, UnprovenCommand } from './settlement.ts';

const first: DeliveryHistory = { kind: 'event', deliveries: 1, failures: 1, maxDeliver: 3, backoffMs: [10, 100] };
const threw = (error: unknown, c: Partial<DeliveryHistory> = {}) => settle({ ok: false, error }, { ...first, ...c });

describe('settlement', () => {
  it('acknowledges what was handled', () => {
    expect(settle({ ok: true }, first)).toEqual({ act: 'ack', reason: 'handled' });
  });

  it('delivers again after the wait that a hand-back asks for, however often', () => {
    expect(threw(new HandBack(250, 'busy'), { deliveries: 99 })).toEqual({
      act: 'nak',
      delayMs: 250,
      reason: 'handed_back',
    });
  });

  it('gives up what cannot be parsed at once', () => {
    expect(threw(new UnparsablePayload('n: not a number'))).toMatchObject({
      act: 'dead',
      code: 'invalid',
      reason: 'unparsable',
    });
    expect(threw(new UnparsablePayload('n'), { kind: 'command' })).toMatchObject({ act: 'dead', reason: 'unparsable' });
  });

  it('gives up an event that no retry can help, with the code of the error', () => {
    expect(threw(new TocsinError('conflict', 'never'))).toEqual({
      act: 'dead',
      code: 'conflict',
      reason: 'refused',
      message: 'never',
    });
  });

  it('acknowledges a command that was refused: the refusal is the answer', () => {
    expect(threw(new TocsinError('conflict', 'never'), { kind: 'command' })).toEqual({ act: 'ack', reason: 'refused' });
  });

  it('never gives up what failed because something was away, and backs off', () => {
    const away = new TocsinError('unavailable', 'no database');
    expect(threw(away)).toEqual({ act: 'nak', delayMs: 10, reason: 'unavailable' });
    expect(threw(away, { deliveries: 1_000, failures: 1_000 })).toEqual({
      act: 'nak',
      delayMs: 100,
      reason: 'unavailable',
    });
  });

  it('tries what something away held up again within a second, however long that took', () => {
    const away = new TocsinError('unavailable', 'no database');
    expect(threw(away, { deliveries: 7, backoffMs: [250, 60_000] })).toMatchObject({ delayMs: 1_000 });
  });

  it('backs off after each failure, and gives up after the last that is allowed', () => {
    const failures = [1, 2, 3].map((n) => threw(new Error('boom'), { failures: n, deliveries: n }));
    expect(failures).toEqual([
      { act: 'nak', delayMs: 10, reason: 'failed' },
      { act: 'nak', delayMs: 100, reason: 'failed' },
      { act: 'dead', code: 'internal', reason: 'exhausted', message: 'boom' },
    ]);
  });

  it('waits a second where no back-off is given', () => {
    expect(threw(new Error('boom'), { backoffMs: [] })).toMatchObject({ delayMs: 1_000 });
  });

  it('copes with what is thrown that is no error', () => {
    expect(threw('text', { failures: 3 })).toMatchObject({ act: 'dead', message: 'text' });
  });

  it('countsAsFailure only what may be the fault of the message, and may pass', () => {
    const counted = (error: unknown) => countsAsFailure({ ok: false, error });
    expect(['boom', new Error('boom'), new TypeError('x is undefined')].map(counted)).toEqual([true, true, true]);
    const others = [
      new HandBack(0, 'busy'),
      new TocsinError('unavailable', 'no database'),
      new TocsinError('conflict', 'never'),
      new UnparsablePayload('n'),
      new UnprovenCommand('n'),
    ];
    expect(others.map(counted)).not.toContain(true);
    expect(countsAsFailure({ ok: true })).toBe(false);
  });
});
