import { TocsinError } from '@tocsin/core';
import { policy, type Policy } from '@tocsin/resilience';
import type { SendOutcome } from './sender.ts';

const MOST_KEPT = 2_000;
const BREAKER = { failures: 5, halfOpenAfterMs: 10_000 };

/** Carries an outcome that is to be retried past the breaker, which counts what is thrown. */
class Retry extends Error {
  constructor(readonly outcome: SendOutcome) {
    super(outcome.answer);
  }
}

/** A time limit and a breaker for each channel, so that one that fails is left alone for a while and delays no other. */
export class Policies {
  private readonly kept = new Map<string, Policy>();

  constructor(private readonly timeoutMs: number) {}

  /**
   * Makes an attempt under the channel's policy.
   * @returns its outcome; undefined when the breaker is open and no attempt was made
   */
  async attempt(
    channelId: string,
    send: (signal: AbortSignal) => Promise<SendOutcome>,
  ): Promise<SendOutcome | undefined> {
    try {
      return await this.of(channelId).execute(async (signal) => {
        const outcome = await send(signal);
        // A mail server that answered for each recipient is well, though one of them is to get it later.
        if (outcome.result === 'retry' && !outcome.recipients) throw new Retry(outcome);
        return outcome;
      });
    } catch (error) {
      if (error instanceof Retry) return error.outcome;
      if (error instanceof TocsinError && error.code === 'unavailable') return undefined;
      if (error instanceof TocsinError && error.code === 'deadline') {
        return { result: 'retry', answer: `no answer within ${this.timeoutMs} ms` };
      }
      throw error;
    }
  }

  /** How long a channel is left alone once its breaker has opened. */
  get pauseMs(): number {
    return BREAKER.halfOpenAfterMs;
  }

  private of(channelId: string): Policy {
    let found = this.kept.get(channelId);
    if (!found) found = policy(`channel ${channelId}`, { timeoutMs: this.timeoutMs, breaker: BREAKER });
    // The one used longest ago makes room.
    this.kept.delete(channelId);
    this.kept.set(channelId, found);
    const [oldest] = this.kept.keys();
    if (this.kept.size > MOST_KEPT && oldest !== undefined) this.kept.delete(oldest);
    return found;
  }
}
