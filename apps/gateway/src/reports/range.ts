import { EdgeRefusal } from '@tocsin/edge';

const DAY_MS = 86_400_000;
/** Roll-ups that one answer holds at most. */
const MOST_STEPS = 5_000;

export const STEPS = { '5m': 300, '1h': 3_600, '1d': 86_400 } as const;

/**
 * The range that a query asks for: by default the day before `to`, and `to` is now.
 * @throws EdgeRefusal `invalid` when it ends before it begins
 */
export function rangeOf(query: { from?: number | undefined; to?: number | undefined }, nowMs: number) {
  const to = query.to ?? nowMs;
  const from = query.from ?? Math.max(0, to - DAY_MS);
  if (from < to) return { from, to };
  throw EdgeRefusal.fields([{ in: 'query', path: '/from', message: 'must be before `to`' }]);
}

/** @throws EdgeRefusal `invalid` when a range has more steps than one answer holds */
export function requireFewSteps({ from, to }: { from: number; to: number }, seconds: number): void {
  if ((to - from) / 1_000 / seconds <= MOST_STEPS) return;
  const message = `the range has more than ${MOST_STEPS} steps of this length: ask for a longer step or a shorter range`;
  throw EdgeRefusal.fields([{ in: 'query', path: '/step', message }]);
}
