import { describe, expect, it } from 'vitest';
import { shownTo } from './answers.ts';

const as = (role: 'viewer' | 'editor' | 'admin') => ({ tokenId: 't', name: 'n', role });

describe('what a receiver said', () => {
  it.each([
    ['status 200: {"token":"x"}', 'status 200'],
    ['status 204', 'status 204'],
    ['given up after 12 attempts; the last: status 503: busy', 'given up after 12 attempts; the last: status 503'],
    ['250 2.0.0 queued (refused for b@x: 550 no)', '250'],
    ['550 5.1.1 no such user', '550'],
    ['2001: a text', undefined],
    ['connect: connection refused 10.1.2.3:80', undefined],
    [undefined, undefined],
  ])('%s is to a viewer %s', (answer, expected) => {
    expect(shownTo(as('viewer'), { id: 'n', answer })).toEqual(expected === undefined ? { id: 'n' } : { id: 'n', answer: expected }); // prettier-ignore
    expect(shownTo(undefined, { answer }).answer).toBe(expected);
    expect(shownTo(as('editor'), { answer }).answer).toBe(answer);
    expect(shownTo(as('admin'), { answer }).answer).toBe(answer);
  });
});
