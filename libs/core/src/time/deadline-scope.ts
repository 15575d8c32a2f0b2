import { AsyncLocalStorage } from 'node:async_hooks';

const current = new AsyncLocalStorage<number>();

/** Runs what must be done before `deadline` (ms since the epoch): questions asked meanwhile inherit it. */
export function withDeadline<T>(deadline: number, run: () => T): T {
  return current.run(deadline, run);
}

/** When the caller of the present work stops waiting, in ms since the epoch; undefined where no deadline was set. */
export function currentDeadline(): number | undefined {
  return current.getStore();
}
