import { createContext, Script, type Context } from 'node:vm';
import { CheckFailure } from './failure.ts';

/** Thrown when a computation did not end in its time. */
export class TooSlow extends Error {
  override readonly name = 'TooSlow';
}

/** How much CPU time a computation may take. */
export const LIMIT_MS = 100;
/** A busy machine gives less CPU time than has passed on the clock, and the watchdog has a clock only. */
const WALL_MS = 6 * LIMIT_MS;
/** What was too slow is not tried again for so long. */
const REST_MS = 60_000;

const script = new Script('run()', { filename: 'time-limited.js' });
let context: (Context & { run?: (() => unknown) | undefined }) | undefined;

/**
 * Runs a synchronous computation over text from outside and ends it when it takes too long, so that no expression
 * and no document can hold the event loop. It costs about 0.25 ms (a watchdog thread): use it where the work is not
 * bounded by its size.
 * @throws TooSlow after about {@link LIMIT_MS}; state that `fn` was changing must then be thrown away
 * @throws CheckFailure `resources` when this machine was too busy to give it that much
 */
export function timeLimited<T>(fn: () => T): T {
  context ??= createContext({});
  context.run = fn;
  const before = process.threadCpuUsage();
  try {
    return script.runInContext(context, { timeout: WALL_MS }) as T;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    const { user, system } = process.threadCpuUsage(before);
    if ((user + system) / 1000 >= LIMIT_MS) throw new TooSlow(`took longer than ${LIMIT_MS} ms`, { cause: error });
    throw new CheckFailure('resources', 'resources: this prober is too busy to judge the answer', { cause: error });
  } finally {
    context.run = undefined;
  }
}

/** {@link timeLimited} for a computation that is made often: once it was too slow, it is not tried for a minute. */
export function timeLimiter(): <T>(fn: () => T) => T {
  let restsUntil = -Infinity;
  return (fn) => {
    if (performance.now() < restsUntil) throw new TooSlow(`took longer than ${LIMIT_MS} ms before`);
    try {
      return timeLimited(fn);
    } catch (error) {
      if (error instanceof TooSlow) restsUntil = performance.now() + REST_MS;
      throw error;
    }
  };
}
