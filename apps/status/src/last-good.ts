import type { Answer } from '@tocsin/cache';
import { type Clock, TocsinError } from '@tocsin/core';

interface Known {
  value: unknown;
  loadedAt: number;
}

/** Most answers that are remembered; the one not given for longest goes first. */
const ENTRIES_MAX = 200;
/** How long somebody waits for a new answer while an older one is at hand. */
const PATIENCE_MS = 300;

/**
 * The last good answers. An event makes the cache forget an answer, and if the database is away just then there would be
 * none at all: what was true a moment ago, marked stale, is better.
 */
export class LastGood {
  private readonly known = new Map<string, Known>();

  constructor(
    private readonly clock: Clock,
    private readonly staleMs: number,
  ) {}

  /** The answer that `ask` gives, or the last good one where it fails for now or takes too long. @throws what `ask` throws */
  async get<T>(key: string, ask: () => Promise<Answer<T>>): Promise<Answer<T>> {
    const asked = ask().then((answer) => this.remember(key, answer));
    const known = this.known.get(key);
    if (!known || this.clock.now() - known.loadedAt > this.staleMs) return asked;
    const old = (): Answer<T> => ({ value: known.value as T, ageMs: this.clock.now() - known.loadedAt, stale: true });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Answer<T>>((resolve) => {
      timer = setTimeout(() => resolve(old()), PATIENCE_MS);
    });
    const answered = asked.catch((error: unknown) => {
      if (error instanceof TocsinError && error.retry) return old();
      throw error;
    });
    return Promise.race([answered, late]).finally(() => clearTimeout(timer));
  }

  private remember<T>(key: string, answer: Answer<T>): Answer<T> {
    this.known.delete(key);
    this.known.set(key, { value: answer.value, loadedAt: this.clock.now() - answer.ageMs });
    const oldest = this.known.size > ENTRIES_MAX ? this.known.keys().next().value : undefined;
    if (oldest !== undefined) this.known.delete(oldest);
    return answer;
  }
}
