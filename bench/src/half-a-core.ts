/** A turn is as long as the period in which Linux hands out a quota of processor time. */
const PERIOD_MS = 100;
const SHARE = 0.5;

/**
 * Lets a process run for half of the time, in turns: it stands still for 50 ms of each 100 ms, busy or not, which is less
 * than a container with a limit of half a core gets.
 * @returns lets it run again for good, and says which share of the time it ran
 */
export function halfACore(pid: number): () => number {
  const since = performance.now();
  let ranMs = 0;
  let continuedAt = since;
  let timer: NodeJS.Timeout;
  const stop = (): void => {
    process.kill(pid, 'SIGSTOP');
    ranMs += performance.now() - continuedAt;
    timer = setTimeout(go, PERIOD_MS * (1 - SHARE));
  };
  const go = (): void => {
    process.kill(pid, 'SIGCONT');
    continuedAt = performance.now();
    timer = setTimeout(stop, PERIOD_MS * SHARE);
  };
  stop();
  return () => {
    clearTimeout(timer);
    process.kill(pid, 'SIGCONT');
    return ranMs / (performance.now() - since);
  };
}
