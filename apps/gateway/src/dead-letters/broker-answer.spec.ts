import { TocsinError } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import { brokerAnswer } from './broker-answer.ts';

const forever = (): Promise<never> => new Promise(() => undefined);

describe('what the broker answers about dead letters', () => {
  it('is passed on, and so is what we refuse', async () => {
    expect(await brokerAnswer(Promise.resolve(7), Date.now() + 1_000)).toBe(7);
    const refusal = new TocsinError('not_found', 'no such letter');
    await expect(brokerAnswer(Promise.reject(refusal))).rejects.toBe(refusal);
  });

  it('is `unavailable`, with its cause, where the broker fails', async () => {
    const cause = new Error('no responders');
    await expect(brokerAnswer(Promise.reject(cause))).rejects.toMatchObject({
      code: 'unavailable',
      retry: true,
      cause,
    });
  });

  it('stays a defect where it is one', async () => {
    const defect = new TypeError('x is not a function');
    await expect(brokerAnswer(Promise.reject(defect))).rejects.toBe(defect);
  });

  it('is waited for no longer than the caller waits', async () => {
    await expect(brokerAnswer(forever(), Date.now() - 1)).rejects.toMatchObject({ code: 'deadline' });
  });
});
