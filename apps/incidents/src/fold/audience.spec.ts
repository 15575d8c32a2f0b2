import { expect, it } from 'vitest';
import { MOST_TOLD, toldAfter } from './audience.ts';

it('tells the former channels in their order, and the added ones after them', () => {
  expect(toldAfter(['a', 'b'], ['b', 'c'])).toEqual(['a', 'b', 'c']);
});

it('tells every present channel, however many were told before', () => {
  const former = Array.from({ length: MOST_TOLD }, (_, n) => `former ${n}`);
  const told = toldAfter(former, ['former 0', 'present']);
  expect(told).toHaveLength(MOST_TOLD);
  expect(told.slice(0, 2)).toEqual(['former 0', 'former 2']);
  expect(told.at(-1)).toBe('present');
});
