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
/** So it is looked at first after as long as a machine takes that is not busy. */
const FIRST_WALL_MS = 1.2 * LIMIT_MS;
/** What was too slow before is looked at for no longer than half a core needs to tell. */
const LOOK_WALL_MS = 2.4 * LIMIT_MS;
/** What was too slow is not tried again for so long: twice as long each time that it still is. */
const REST_MS = { first: 60_000, longest: 600_000 };
/** And what got no time is not looked at again for so long: it says nothing of the target. */
const BUSY_REST_MS = 5_000;

const script = new Script('run()', { filename: 'time-limited.js' });
let context: (Context & { run?: (() => unknown) | undefined }) | undefined;

/**
 * Runs a synchronous computation over text from outside and ends it when it takes too long, so that no expression
 * and no document can hold the event loop. It costs about 0.25 ms (a watchdog thread): use it where the work is not
 * bounded by its size. On a busy machine it is begun again, with more time: `fn` must be able to.
 * @throws TooSlow after about {@link LIMIT_MS}; state that `fn` was changing must then be thrown away
 * @throws CheckFailure `resources` when this machine was too busy to give it that much
 */
export function timeLimited<T>(fn: () => T): T {
  try {
    return within(FIRST_WALL_MS, fn);
  } catch (error) {
    if (!(error instanceof TooBusy)) throw error;
  }
  try {
    return within(WALL_MS, fn);
  } catch (error) {
    throw error instanceof TooBusy ? tooBusy(error) : error;
  }
}

function tooBusy(cause?: unknown): CheckFailure {
  return new CheckFailure('resources', 'resources: this prober is too busy to judge the answer', { cause });
}

/** Thrown when a computation did not get its CPU time. */
class TooBusy extends Error {
  override readonly name = 'TooBusy';
}

function within<T>(wallMs: number, fn: () => T): T {
  context ??= createContext({});
  context.run = fn;
  const before = process.threadCpuUsage();
  try {
    return script.runInContext(context, { timeout: wallMs }) as T;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    const { user, system } = process.threadCpuUsage(before);
    if ((user + system) / 1000 < LIMIT_MS) throw new TooBusy('got too little CPU time', { cause: error });
    throw new TooSlow(`took longer than ${LIMIT_MS} ms`, { cause: error });
  } finally {
    context.run = undefined;
  }
}

/** {@link timeLimited} for a computation that is made often: once it was too slow, it is not tried for a while. */
export function timeLimiter(): <T>(fn: () => T) => T {
  let restsUntil = -Infinity;
  let busyUntil = -Infinity;
  let restMs = REST_MS.first;
  return (fn) => {
    if (performance.now() < restsUntil) throw new TooSlow(`took longer than ${LIMIT_MS} ms before`);
    if (performance.now() < busyUntil) throw tooBusy();
    try {
      // What was too slow gets a short look, until it is not.
      const value = restMs > REST_MS.first ? within(LOOK_WALL_MS, fn) : timeLimited(fn);
      restMs = REST_MS.first;
      return value;
    } catch (error) {
      if (error instanceof TooBusy) {
        busyUntil = performance.now() + BUSY_REST_MS;
        throw tooBusy(error);
      }
      if (!(error instanceof TooSlow)) throw error;
      restsUntil = performance.now() + restMs;
      restMs = Math.min(REST_MS.longest, 2 * restMs);
      throw error;
    }
  };
}
