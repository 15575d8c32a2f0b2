import { TocsinError, unlessAborted } from '@tocsin/core';
import { Deadline } from '@tocsin/resilience';

/**
 * What the broker answers about dead letters.
 * @param deadline when the caller stops waiting, ms since the epoch; a change has none, since it may have happened
 * @throws TocsinError as it was thrown; `deadline` past the deadline; `unavailable` for all that the broker itself says
 */
export async function brokerAnswer<T>(answer: Promise<T>, deadline?: number): Promise<T> {
  try {
    return await (deadline === undefined ? answer : unlessAborted(answer, Deadline.at(deadline).signal));
  } catch (cause) {
    if (cause instanceof TocsinError || isDefect(cause)) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TocsinError('unavailable', `The broker does not answer about dead letters (${why}); try again later.`, {
      cause,
    });
  }
}

/** No broker throws these: code does, and a letter that can't be read. */
function isDefect(error: unknown): boolean {
  return error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError;
}
