import { systemClock } from '@tocsin/core';

/** How long a server that was away is not asked. */
const PAUSE_MS = 5_000;

/**
 * Remembers that a server is away, so that not everybody has to find out. While it is, one caller in five seconds tries
 * it: a frozen server is noticed only by waiting, and nobody else shall wait for that.
 */
export class Absence {
  private until: number | undefined;

  /** Whether the caller may ask the server. Who may while it is away, asks on behalf of all. */
  mayAsk(): boolean {
    if (this.until === undefined) return true;
    if (systemClock.monotonic() < this.until) return false;
    this.note('away');
    return true;
  }

  /** Notes what came of asking it. */
  note(what: 'there' | 'away'): void {
    this.until = what === 'away' ? systemClock.monotonic() + PAUSE_MS : undefined;
  }
}
