import { TocsinError } from '@tocsin/core';
import { backoff, sleep } from '@tocsin/resilience';
import { logger } from '@tocsin/telemetry';

const BACKOFF = { baseMs: 200, maxMs: 3_000 };
const log = logger('start');

/**
 * Tries until it succeeds, as long as what fails may succeed later: a server that is away at the start is waited for,
 * with jittered back-off from 0.2 s to 3 s. Throws at once what a retry can't mend, and when `stopped` is aborted.
 */
export async function patiently<T>(what: string, stopped: AbortSignal, fn: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    stopped.throwIfAborted();
    try {
      return await fn();
    } catch (error) {
      if (!(error instanceof TocsinError) || !error.retry) throw error;
      log.warn({ attempt, reason: error.message }, `waiting for ${what}`);
      await sleep(backoff(attempt, BACKOFF), stopped);
    }
  }
}
