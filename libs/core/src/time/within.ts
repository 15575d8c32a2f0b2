/**
 * The value of `work` if it comes within `ms` milliseconds, else what `late` gives or throws. Late work goes on: its value
 * and its failure are ignored.
 *
 * Node runs timers before it reads sockets. After a pause of the process an answer may lie there already, so it is looked at
 * before it counts as late.
 * @throws what `work` rejects with in time, and what `late` throws
 */
export async function within<T, L = never>(work: Promise<T>, ms: number, late: () => L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined;
  let look: NodeJS.Immediate | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      look = setImmediate(resolve);
    }, ms);
  });
  // Nobody hears a failure that comes late.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, over.then(late)]);
  } finally {
    clearTimeout(timer);
    clearImmediate(look);
  }
}
