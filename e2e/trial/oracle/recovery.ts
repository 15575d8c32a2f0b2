/** What is delayed by more than this is not normal. */
const DELAYED_MS = 1_000;

/** Something that should have happened at once, and when it did; `to` is absent where it never did. */
export interface Delay {
  from: number;
  to?: number;
}

/**
 * How long each strike was felt: from it to the end of the last thing, before the next strike, that was delayed by more
 * than a second. What never happened counts until it was that late. 0 where nothing was delayed.
 * @param strikes epoch ms, ascending
 */
export function recoveriesMs(strikes: readonly number[], delays: readonly Delay[]): number[] {
  const felt = strikes.map(() => 0);
  for (const { from, to } of delays) {
    const end = to ?? from + DELAYED_MS;
    if (end - from < DELAYED_MS) continue;
    const strike = strikes.findLastIndex((at) => at <= end);
    if (strike >= 0) felt[strike] = Math.max(felt[strike]!, end - strikes[strike]!);
  }
  return felt;
}

/** The median and the longest; 0 where there are none. */
export function medianAndWorst(values: readonly number[]): { median: number; worst: number } {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[Math.floor((sorted.length - 1) / 2)] ?? 0, worst: sorted.at(-1) ?? 0 };
}
