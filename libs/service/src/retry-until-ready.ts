import { backoff, sleep, TocsinError, unlessAborted } from '@tocsin/core';
import { logger } from '@tocsin/telemetry';

const BACKOFF = { baseMs: 200, maxMs: 3_000 };
const log = logger('start');

/** A try may itself wait for long: after this time the log says what is being waited for. */
const SLOW_MS = 3_000;

/**
 * Tries until it succeeds, as long as what fails may succeed later: a server that is away at the start is waited for,
 * with jittered back-off from 0.2 s to 3 s. Throws at once what a retry can't mend, and when `stopped` is aborted.
 */
export async function retryUntilReady<T>(what: string, stopped: AbortSignal, fn: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    stopped.throwIfAborted();
    const slow = setInterval(() => log.warn({ attempt }, `still waiting for ${what}`), SLOW_MS);
    try {
      return await unlessAborted(fn(), stopped);
    } catch (error) {
      if (!(error instanceof TocsinError) || !error.retry) throw error;
      log.warn({ attempt, reason: error.message, cause: causeOf(error) }, `waiting for ${what}`);
    } finally {
      clearInterval(slow);
    }
    await sleep(backoff(attempt, BACKOFF), stopped);
  }
}

function causeOf(error: Error): string | undefined {
  return error.cause instanceof Error ? error.cause.message : undefined;
}
