/** A range of time: epoch milliseconds, `to` exclusive. */
export interface Range {
  from: number;
  to: number;
}

/** Whether a time lies in a range. */
export function within({ from, to }: Range, at: number): boolean {
  return at >= from && at < to;
}

/** When a target was hit: epoch ms, oldest first. */
export type HitsOf = (n: number) => readonly number[];
