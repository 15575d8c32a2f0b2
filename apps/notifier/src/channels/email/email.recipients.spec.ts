import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOBODY, openRecipients, outcomeFor, type Refusal } from './email.recipients.ts';

const GREY: Refusal = { code: 450, text: '450 4.2.0 greylisted' };
const GONE: Refusal = { code: 550, text: '550 5.1.1 no such user' };

describe('a mail to several recipients', () => {
  const to = ['a@x', 'b@x'];
  const tried = (refusals: [string, Refusal][], before = NOBODY) =>
    outcomeFor(to, before, {
      tried: openRecipients(to, before),
      refusals: new Map(refusals),
      answer: '250 ok',
    });

  it('is sent when each has it', () => {
    expect(tried([])).toEqual({ result: 'sent', answer: '250 ok', recipients: { accepted: to, refused: {} } });
  });

  it('is tried again while one is to get it later, for that one alone', () => {
    const first = tried([['b@x', GREY]]);
    expect(first).toMatchObject({ result: 'retry', answer: '250 ok (later for b@x: 450 4.2.0 greylisted)' });
    expect(openRecipients(to, first.recipients!)).toEqual(['b@x']);
    expect(tried([], first.recipients)).toMatchObject({ result: 'sent', recipients: { accepted: to } });
  });

  it('is sent although one was refused for good, and names that one however late the others get it', () => {
    const first = tried([
      ['a@x', GONE],
      ['b@x', GREY],
    ]);
    expect(first.result).toBe('retry');
    expect(tried([], first.recipients)).toMatchObject({
      result: 'sent',
      answer: '250 ok (refused for a@x: 550 5.1.1 no such user)',
    });
  });

  it('is refused when all were', () => {
    const first = tried([
      ['a@x', GONE],
      ['b@x', GONE],
    ]);
    expect(first.result).toBe('refused');
  });

  it('ends when who was to get it later is no longer a recipient', () => {
    const before = { accepted: ['a@x'], refused: {} };
    expect(openRecipients(['a@x'], before)).toEqual([]);
    const outcome = outcomeFor(['a@x'], before, { tried: [], refusals: new Map(), answer: 'all have it' });
    expect(outcome.result).toBe('sent');
  });

  it('nobody is offered it after he has got it or was refused for good, and it ends when each is settled', () => {
    const address = fc.constantFrom('a@x', 'b@x', 'c@x', '__proto__@x', 'constructor');
    const replies = fc.array(fc.dictionary(address, fc.constantFrom(GREY, GONE)), { maxLength: 8 });
    fc.assert(
      fc.property(fc.uniqueArray(address, { minLength: 1 }), replies, (recipients, attempts) => {
        let done = NOBODY;
        const got: string[] = [];
        for (const refused of [...attempts, {}]) {
          const open = openRecipients(recipients, done);
          const refusals = new Map(Object.entries(refused).filter(([one]) => open.includes(one)));
          const outcome = outcomeFor(recipients, done, { tried: open, refusals, answer: '' });
          got.push(...open.filter((one) => !refusals.has(one)));
          done = outcome.recipients!;
          const left = openRecipients(recipients, done);
          expect(outcome.result === 'retry').toBe(left.length > 0);
          if (left.length === 0) break;
        }
        expect(new Set(got).size).toBe(got.length);
        expect([...got, ...Object.keys(done.refused)].toSorted()).toEqual(recipients.toSorted());
      }),
    );
  });
});
