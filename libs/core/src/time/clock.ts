/** The two clocks everything that asks for the time is given, so that a test can turn them. */
export interface Clock {
  /** Milliseconds since the Unix epoch. May step when the host's clock is set. */
  now(): number;
  /** Milliseconds from an arbitrary start. Never steps: use it to measure how long something took or is still allowed. */
  monotonic(): number;
}

/** The host's clocks. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
