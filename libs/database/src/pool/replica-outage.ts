import { systemClock } from '@tocsin/core';

/** How long nobody asks a replica that is down. */
const PAUSE_MS = 5_000;

/**
 * Remembers that the replica is down, so that not every read has to find out. While it is down, one read in five seconds
 * tries it: a frozen server is noticed only by waiting, and no other read shall wait for that.
 */
export class ReplicaOutage {
  private until: number | undefined;

  /** Whether the caller may ask the replica. While it is down, the caller that may does so on behalf of all. */
  mayTry(): boolean {
    if (this.until === undefined) return true;
    if (systemClock.monotonic() < this.until) return false;
    this.failed();
    return true;
  }

  answered(): void {
    this.until = undefined;
  }

  failed(): void {
    this.until = systemClock.monotonic() + PAUSE_MS;
  }
}
