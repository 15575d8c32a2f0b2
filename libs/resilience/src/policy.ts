import { backoff, type BackoffOptions, sleep, TocsinError, unlessAborted } from '@tocsin/core';
import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
  type BulkheadPolicy,
  type CircuitBreakerPolicy,
} from 'cockatiel';
import { Deadline } from './deadline.ts';
import { observe, recordOutcome, type PolicyState } from './policy.metrics.ts';

export interface RetryOptions extends BackoffOptions {
  /** How often it is tried in all, the first time included. */
  attempts: number;
  /** Whether this error may be tried again; by default a `TocsinError` decides itself and any other error may. */
  if?: (error: unknown) => boolean;
}

export interface PolicyOptions {
  /** Bound of one attempt, in milliseconds. The deadline given to `execute` bounds all attempts together. */
  timeoutMs?: number;
  retry?: RetryOptions;
  /** Opens after `failures` in a row, lets one call through after `halfOpenAfterMs` and refuses all others meanwhile. */
  breaker?: { failures: number; halfOpenAfterMs: number };
  /** At most `limit` at a time and `queue` waiting; more are refused. */
  bulkhead?: { limit: number; queue: number };
}

/**
 * A named way of calling something that may fail: bulkhead around retries around breaker around timeout.
 */
export class Policy {
  private readonly breaker: CircuitBreakerPolicy | undefined;
  private readonly bulkhead: BulkheadPolicy | undefined;

  constructor(
    readonly name: string,
    private readonly options: PolicyOptions,
  ) {
    const { breaker, bulkhead: bounds } = options;
    this.breaker = breaker && openAfter(breaker.failures, breaker.halfOpenAfterMs);
    this.bulkhead = bounds && bulkhead(bounds.limit, bounds.queue);
    observe(this);
  }

  /**
   * Calls `fn`, which must give up when its signal is aborted.
   * Throws what `fn` threw last, or a `TocsinError`: `deadline` (no answer in time), `unavailable` (the circuit is open),
   * `exhausted` (too many at once). All three may be tried again later.
   */
  async execute<T>(fn: (signal: AbortSignal) => Promise<T>, deadline?: Deadline): Promise<T> {
    try {
      deadline?.throwIfExpired(this.name);
      const work = this.bounded(() => this.retried(fn, deadline));
      const result = await (deadline ? unlessAborted(work, deadline.signal) : work);
      recordOutcome(this.name, 'ok');
      return result;
    } catch (error) {
      const named = this.named(error);
      recordOutcome(this.name, named instanceof TocsinError ? named.code : 'error');
      throw named;
    }
  }

  /** The breaker's state; a policy without a breaker is always closed. */
  state(): PolicyState {
    switch (this.breaker?.state) {
      case CircuitState.Open:
      case CircuitState.Isolated:
        return 'open';
      case CircuitState.HalfOpen:
        return 'half-open';
      case CircuitState.Closed:
      case undefined:
        return 'closed';
    }
  }

  private bounded<T>(fn: () => Promise<T>): Promise<T> {
    return this.bulkhead ? this.bulkhead.execute(fn) : fn();
  }

  private async retried<T>(fn: (signal: AbortSignal) => Promise<T>, deadline?: Deadline): Promise<T> {
    const retry = this.options.retry;
    for (let attempt = 1; ; attempt++) {
      try {
        deadline?.throwIfExpired(this.name);
        return await this.guarded(() => this.timed(fn, deadline));
      } catch (error) {
        if (!retry || attempt >= retry.attempts || !mayRetry(error, retry)) throw error;
        const delayMs = backoff(attempt, retry);
        if (deadline && deadline.remainingMs() <= delayMs) throw error;
        await sleep(delayMs, deadline?.signal);
      }
    }
  }

  private guarded<T>(fn: () => Promise<T>): Promise<T> {
    if (!this.breaker) return fn();
    // One call finds out; the breaker would let all others wait for what it finds.
    if (this.breaker.state === CircuitState.HalfOpen) return Promise.reject(new BrokenCircuitError());
    return this.breaker.execute(fn);
  }

  private async timed<T>(fn: (signal: AbortSignal) => Promise<T>, deadline?: Deadline): Promise<T> {
    const ms = Math.min(this.options.timeoutMs ?? Infinity, deadline?.remainingMs() ?? Infinity);
    const controller = new AbortController();
    if (ms === Infinity) return fn(controller.signal);
    const timer = setTimeout(
      () => controller.abort(new TocsinError('deadline', `${this.name}: no answer within ${Math.round(ms)} ms`)),
      ms,
    );
    try {
      return await unlessAborted(fn(controller.signal), controller.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  private named(error: unknown): unknown {
    if (error instanceof BrokenCircuitError) {
      const ms = this.options.breaker?.halfOpenAfterMs;
      const message = `${this.name}: it failed too often, so it is not called; it is tried again within ${ms} ms`;
      return new TocsinError('unavailable', message, { cause: error });
    }
    if (error instanceof BulkheadRejectedError) {
      const { limit, queue } = this.options.bulkhead ?? {};
      const message = `${this.name}: ${limit} are running and ${queue} are waiting; try again later`;
      return new TocsinError('exhausted', message, { cause: error });
    }
    return error;
  }
}

/** Makes a named policy; keep it, its breaker and bulkhead hold state. */
export function policy(name: string, options: PolicyOptions): Policy {
  return new Policy(name, options);
}

function openAfter(failures: number, halfOpenAfterMs: number): CircuitBreakerPolicy {
  return circuitBreaker(handleWhen(isFault), {
    breaker: new ConsecutiveBreaker(failures),
    halfOpenAfter: halfOpenAfterMs,
  });
}

/** A refusal (bad input, not found …) says that the other side is well, so it must not open the circuit. */
function isFault(error: unknown): boolean {
  return error instanceof TocsinError ? error.retry || error.code === 'internal' : true;
}

function mayRetry(error: unknown, retry: RetryOptions): boolean {
  if (error instanceof BrokenCircuitError) return false;
  if (retry.if) return retry.if(error);
  return error instanceof TocsinError ? error.retry : true;
}
