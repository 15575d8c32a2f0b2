import { TocsinError } from '@tocsin/core';
import { Deadline, type Policy, policy } from '@tocsin/resilience';

/** So many questions in a row that nobody answered, and the owner is not asked. */
const FAILURES = 10;
/** For how long; then one question finds out. */
const HALF_OPEN_MS = 500;

/** A question to an owner that was answered, if only by a refusal: the owner is well. */
type Heard<T> = { answer: T } | { refusal: unknown };

/**
 * Keeps owners apart: each has its own share of the requests that run at a time and its own breaker. So one that is frozen
 * is refused early once its share is waiting for it, and the others are asked as ever.
 */
export class ServiceBulkheads {
  private readonly policies = new Map<string, Policy>();

  /** @param share how many questions to one owner may be waiting */
  constructor(private readonly share: number) {}

  /**
   * Asks `owner`.
   * @throws what `ask` throws; TocsinError `unavailable` if it is not asked, with the detail `busy` if its share is full
   */
  async ask<T>(owner: string, deadline: number, ask: () => Promise<T>): Promise<T> {
    const heard = await this.policyOf(owner)
      .execute(() => heardOf(ask), Deadline.at(deadline))
      .catch((error: unknown) => Promise.reject(refusedHere(error, owner)));
    if ('refusal' in heard) throw heard.refusal;
    return heard.answer;
  }

  private policyOf(owner: string): Policy {
    let found = this.policies.get(owner);
    if (!found) {
      const breaker = { failures: FAILURES, halfOpenAfterMs: HALF_OPEN_MS };
      found = policy(`owner.${owner}`, { breaker, bulkhead: { limit: this.share, queue: 0 } });
      this.policies.set(owner, found);
    }
    return found;
  }
}

async function heardOf<T>(ask: () => Promise<T>): Promise<Heard<T>> {
  try {
    return { answer: await ask() };
  } catch (refusal) {
    // What nobody answered opens the breaker. An owner that says that its database is away may know other things.
    if (refusal instanceof TocsinError && refusal.details?.['unanswered'] === true) throw refusal;
    return { refusal };
  }
}

/** A full share is this instance's trouble, not the caller's: 503 and not 429. */
function refusedHere(error: unknown, owner: string): unknown {
  if (!(error instanceof TocsinError) || error.code !== 'exhausted') return error;
  const message = `Too many requests wait for ${owner} here. Try again in a moment.`;
  return new TocsinError('unavailable', message, { cause: error, details: { busy: true } });
}
