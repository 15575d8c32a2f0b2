const FIRST_MS = 250;
const LONGEST_MS = 1_000;

/**
 * What a worker needs is away: it stops taking for a moment, and then tries one delivery or one batch. So an outage costs
 * about one attempt a second however much waits, and all of it goes on within a second after the outage.
 */
export class Lull {
  /** Attempts in a row that found it away. One alone may be a hiccup. */
  private inVain = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param onOver called each time that another attempt may be made */
  constructor(private readonly onOver: () => void) {}

  /** Nothing new may begin. */
  get lasts(): boolean {
    return this.timer !== undefined;
  }

  /** Notes that handling came to an end of its own, or that what it needs is away. */
  note(what: 'ended' | 'away'): void {
    if (what === 'ended') {
      this.inVain = 0;
      if (this.lasts) this.end();
      return;
    }
    // Those that began before the lull say nothing new.
    if (this.lasts) return;
    this.inVain += 1;
    if (this.inVain < 2) return;
    this.timer = setTimeout(() => this.end(), Math.min(LONGEST_MS, FIRST_MS * 2 ** (this.inVain - 2)));
    this.timer.unref();
  }

  private end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.onOver();
  }
}
