import type { Clock } from '@tocsin/core';

const WINDOW_MS = 10_000;
const MOST_PER_WINDOW = 10;
const MOST_KEYS = 500;

interface Tally {
  since: number;
  count: number;
  held: number;
}

/** Holds back log lines that say the same again and again, and counts how many were held. */
export class Repetition {
  private readonly tallies = new Map<string, Tally>();

  constructor(private readonly clock: Clock) {}

  /**
   * Whether the line may be written, and how many like it were held back since the last one that was.
   * Numbers in the text do not make it another line.
   */
  admit(context: string, text: string): { admitted: boolean; held: number } {
    const key = `${context} ${text.replace(/[0-9a-f]{8,}|\d+/gi, '#')}`;
    const tally = this.tallyOf(key);
    if (this.clock.monotonic() - tally.since >= WINDOW_MS) {
      tally.since = this.clock.monotonic();
      tally.count = 0;
    }
    if (++tally.count > MOST_PER_WINDOW) {
      tally.held++;
      return { admitted: false, held: tally.held };
    }
    const held = tally.held;
    tally.held = 0;
    return { admitted: true, held };
  }

  private tallyOf(key: string): Tally {
    const known = this.tallies.get(key);
    if (known) return known;
    const [oldest] = this.tallies.keys();
    if (this.tallies.size >= MOST_KEYS && oldest !== undefined) this.tallies.delete(oldest);
    const fresh = { since: this.clock.monotonic(), count: 0, held: 0 };
    this.tallies.set(key, fresh);
    return fresh;
  }
}
