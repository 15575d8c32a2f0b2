import { type Clock, TocsinError } from '@tocsin/core';

export interface Range {
  from: number;
  to: number;
}

const LIVE_MS = 60_000;

/** @throws TocsinError `invalid` when `to` is not after `from` */
export function requireRange({ from, to }: Range): void {
  if (to > from) return;
  throw new TocsinError('invalid', 'The range is empty: `to` must be after `from`.', {
    fields: [{ path: '/to', message: 'must be after from' }],
  });
}

/** What an answer depends on. A range that ends now is the same question a second later; the answer says of which. */
export function questionOf(range: Range, clock: Clock): unknown {
  const { from, to } = range;
  return Math.abs(clock.now() - to) < LIVE_MS ? [to - from, 'now'] : [from, to];
}
