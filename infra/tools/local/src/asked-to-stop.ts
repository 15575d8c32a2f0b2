/** How long after bootstrap.mjs told of a signal that of the terminal may come, which the whole group gets. */
const SAME_SIGNAL_MS = 300;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type Signal = (typeof SIGNALS)[number];

/** Who was asked to stop: `group` is this process and all that it has started, as Ctrl-C does; `alone` this one only. */
export interface Asked {
  signal: Signal;
  whom: 'group' | 'alone';
}

/**
 * Calls `stop` once when this process is asked to stop: by Ctrl-C, a polite kill, a closed terminal, what bootstrap.mjs
 * passes on, or the death of what ran us. Asking again changes nothing, as stopping is bounded.
 */
export function onAskedToStop(stop: (asked: Asked) => void): void {
  let over = false;
  const once = (signal: Signal, whom: Asked['whom']): void => {
    if (over) return;
    over = true;
    stop({ signal, whom });
  };
  for (const signal of SIGNALS) process.on(signal, () => once(signal, signal === 'SIGINT' ? 'group' : 'alone'));
  process.on('message', (told) => {
    const signal = SIGNALS.find((one) => one === (told as { stop?: unknown } | null)?.stop);
    if (signal) setTimeout(once, SAME_SIGNAL_MS, signal, 'alone');
  });
  process.on('disconnect', () => once('SIGTERM', 'alone'));
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && once('SIGTERM', 'alone'), 1_000).unref();
}
