/** Hits remembered per monitor: more than five hours of one every 5 s. The oldest are forgotten over it. */
const MOST_PER_MONITOR = 4_000;

/** When each monitor's target was hit: numbers only, so that hours of a busy fleet fit. */
export class HitLog {
  /** How many there were in all. */
  hits = 0;
  private readonly times: number[][] = [];

  add(n: number, at: number): void {
    this.hits++;
    const times = (this.times[n] ??= []);
    times.push(at);
    if (times.length > MOST_PER_MONITOR) times.splice(0, MOST_PER_MONITOR / 4);
  }

  /** Epoch milliseconds, oldest first. */
  of(n: number): readonly number[] {
    return this.times[n] ?? [];
  }
}

/** Where in an ascending list the first value at or after `from` is; its length where there is none. */
export function firstAtOrAfter(ascending: readonly number[], from: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
