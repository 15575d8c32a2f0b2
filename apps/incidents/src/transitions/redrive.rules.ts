/** A notifier with more than this waiting is late and has lost nothing. */
const BACKLOG_MAX = 100;
/** What it has not recorded after this long is published again whatever waits. */
const PATIENCE_MS = 60_000;
const FIRST_PAUSE_MS = 3_000;
const LONGEST_PAUSE_MS = 300_000;

/**
 * Whether a transition that the notifier does not know has been lost on its way, or may still be waiting there.
 * @param of.ageMs how long ago it was published last
 * @param of.backlog how many messages wait for the notifier
 */
export function isLost(of: { ageMs: number; backlog: number }): boolean {
  return of.backlog <= BACKLOG_MAX || of.ageMs >= PATIENCE_MS;
}

/** How long to wait, in ms, before asking about a transition that has been published this often. It grows up to 5 min. */
export function pauseMs(published: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(published - 1, 20));
}
