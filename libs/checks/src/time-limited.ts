import { createContext, Script, type Context } from 'node:vm';

/** Thrown when a computation did not end in its time. */
export class TooSlow extends Error {
  override readonly name = 'TooSlow';
}

const script = new Script('run()', { filename: 'time-limited.js' });
let context: (Context & { run?: (() => unknown) | undefined }) | undefined;

/**
 * Runs a synchronous computation over text from outside and ends it when it takes too long, so that no expression
 * and no document can hold the event loop. It costs about 0.25 ms (a watchdog thread): use it where the work is not
 * bounded by its size.
 * @throws TooSlow after `ms`; state that `fn` was changing must then be thrown away
 */
export function timeLimited<T>(ms: number, fn: () => T): T {
  context ??= createContext({});
  context.run = fn;
  try {
    return script.runInContext(context, { timeout: ms }) as T;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new TooSlow(`did not end within ${ms} ms`, { cause: error });
  } finally {
    context.run = undefined;
  }
}
