import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerEnd } from './answer-end.ts';

const SETTINGS = '000000040000000000';
const HEAD = '000001010400000001' + '88';
const DATA = '000002000000000001' + '6869';
const LAST = '000001000100000001' + '78';
const HEAD_ALONE = '000001010500000001' + '88';
const TRAILERS = '000000010100000001' + '000001090400000001' + '88';
const RESET = '000004030000000001' + '00000002';
const ELSEWHERE = '000001000100000003' + '78';

test.each([
  ['with the last of its data', [SETTINGS, HEAD, DATA, LAST]],
  ['with a head that has no body', [SETTINGS, HEAD_ALONE]],
  ['with its trailers, whose block goes on', [SETTINGS, HEAD, DATA, TRAILERS]],
  ['with a reset', [HEAD, RESET]],
  ['with its own stream, and no other', [HEAD, ELSEWHERE, LAST]],
])('an answer ends %s, however it is cut', (_, frames) => {
  const answer = Buffer.from(frames.join(''), 'hex');
  const all = Buffer.concat([answer, Buffer.from(`${DATA}ffffffffffffffffffff`, 'hex')]);
  fc.assert(
    fc.property(fc.array(fc.nat(all.length)), (cuts) => {
      const end = new AnswerEnd();
      const at = [0, ...cuts.toSorted((a, b) => a - b), all.length];
      const taken = at.slice(1).map((to, i) => end.take(all.subarray(at[i], to)));
      expect(taken.reduce((sum, count) => sum + count, 0)).toBe(answer.length);
    }),
  );
});

test('one that has not ended goes on', () => {
  const bytes = Buffer.from([SETTINGS, HEAD, DATA, ELSEWHERE].join(''), 'hex');
  expect(new AnswerEnd().take(bytes)).toBe(bytes.length);
});
