const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Pauses a worker during an outage of a dependency, then lets it try one delivery or one batch. An outage costs about one
 * attempt per second, however many messages wait, and the work goes on within a second of its end.
 */
export class OutageBackoff {
  /** Attempts in a row that met the outage. A single one may be a hiccup. */
  private failedAttempts = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param onResume called each time that another attempt may begin */
  constructor(private readonly onResume: () => void) {}

  /** While true, nothing new may begin. */
  get isPaused(): boolean {
    return this.timer !== undefined;
  }

  /** Notes that a dependency was unreachable. From the second attempt in a row on, the worker pauses. */
  dependencyFailed(): void {
    // Attempts that began before the pause say nothing new.
    if (this.isPaused) return;
    this.failedAttempts += 1;
    if (this.failedAttempts < 2) return;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.failedAttempts - 2));
    this.timer = setTimeout(() => this.resume(), pauseMs);
    this.timer.unref();
  }

  /** Notes that an attempt reached its dependencies, whether or not it succeeded. The pause is over. */
  dependencyAnswered(): void {
    this.failedAttempts = 0;
    if (this.isPaused) this.resume();
  }

  private resume(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.onResume();
  }
}
