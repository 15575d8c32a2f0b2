import { type Clock, TocsinError, within } from '@tocsin/core';
import type { Answer } from './types.ts';

interface Known {
  value: unknown;
  loadedAt: number;
}

/** Most answers that are remembered; the one not given for longest goes first. */
const ENTRIES_MAX = 200;
/** How long somebody waits for a new answer while an older one is at hand. */
const PATIENCE_MS = 300;

/**
 * The last good answers, in memory alone. Whoever gives new ones may be away just when one is needed: what was true a
 * moment ago, marked stale, is better than none.
 */
export class LastGood {
  private readonly known = new Map<string, Known>();

  /** @param staleMs how old an answer may be that is given in place of a new one */
  constructor(
    private readonly clock: Clock,
    private readonly staleMs: number,
  ) {}

  /**
   * The answer that `ask` gives, or the last good one where it fails for now or takes too long.
   * @param graceMs how old that may be without being called outdated, where `ask` only takes too long
   * @throws what `ask` throws
   */
  async get<T>(key: string, ask: () => Promise<Answer<T>>, graceMs = 0): Promise<Answer<T>> {
    const answered = ask().then(
      (answer) => this.remember(key, answer),
      (error: unknown) => this.inPlaceOf<T>(key, error),
    );
    if (!this.find<T>(key)) return answered;
    return (await within(answered, PATIENCE_MS, () => this.find<T>(key, graceMs))) ?? answered;
  }

  /** Keeps an answer for when there is no new one, unless it knows a newer one already. @returns it */
  remember<A extends { value: unknown; ageMs: number }>(key: string, answer: A): A {
    const given = { value: answer.value, loadedAt: this.clock.now() - answer.ageMs };
    const known = this.known.get(key);
    this.known.delete(key);
    // Answers overtake one another: an owner that lags behind may be the last to speak.
    this.known.set(key, known && known.loadedAt > given.loadedAt ? known : given);
    const oldest = this.known.size > ENTRIES_MAX ? this.known.keys().next().value : undefined;
    if (oldest !== undefined) this.known.delete(oldest);
    return answer;
  }

  /** The last good answer, stale, in place of one that failed. @throws `error` where there is none, or no retry would help */
  inPlaceOf<T>(key: string, error: unknown): Answer<T> {
    // Refused for good: what was true before is not any more, and must not come back in the next outage.
    if (error instanceof TocsinError && !error.retry) this.known.delete(key);
    const old = error instanceof TocsinError && error.retry ? this.find<T>(key) : undefined;
    if (!old) throw error;
    return old;
  }

  private find<T>(key: string, graceMs = 0): Answer<T> | undefined {
    const known = this.known.get(key);
    const ageMs = known ? this.clock.now() - known.loadedAt : Infinity;
    return known && ageMs <= this.staleMs
      ? { value: known.value as T, ageMs, stale: true, outdated: ageMs >= graceMs }
      : undefined;
  }
}
