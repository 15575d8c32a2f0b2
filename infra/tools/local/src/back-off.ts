const FIRST_MS = 250;
const LONGEST_MS = 15_000;
/** One that has run this long starts anew: its next crash is not held against it. */
const STEADY_MS = 30_000;

/** How long to wait before the next restart of something that keeps ending: 0.25 s, doubling, up to 15 s. */
export class BackOff {
  private failures = 0;

  /** @param ranMs how long it had run before it ended */
  next(ranMs: number): number {
    this.failures = ranMs >= STEADY_MS ? 0 : this.failures;
    return Math.min(LONGEST_MS, FIRST_MS * 2 ** this.failures++);
  }

  /** Whoever asks for a start now is not made to wait for crashes of the past. */
  reset(): void {
    this.failures = 0;
  }
}
