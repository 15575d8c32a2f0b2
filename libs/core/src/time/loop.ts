/** Milliseconds from the end of one run to the beginning of the next; a function is called after each run. */
export type Period = number | ((failed: boolean) => number);

/**
 * Repeats work until it is stopped. The first run begins after one period, or at the first nudge. Runs never overlap.
 *
 * - Failure: `onFailure` is told, and the next run follows in its time.
 * - Nudge: the next run begins at once; during a run, as soon as that ends. Work that has more to do nudges its own loop.
 * - Stop: the signal that the work was given is aborted, and no further run begins.
 */
export class Loop {
  private readonly stopping = new AbortController();
  private readonly ended: Promise<void>;
  private nudged = false;
  private wake: (() => void) | undefined;

  constructor(
    private readonly period: Period,
    private readonly work: (stopping: AbortSignal) => Promise<unknown>,
    private readonly onFailure: (error: unknown) => void,
  ) {
    this.ended = this.run();
  }

  nudge(): void {
    this.nudged = true;
    this.wake?.();
  }

  /** Resolves when the run under way has ended. */
  stop(): Promise<void> {
    this.stopping.abort();
    this.wake?.();
    return this.ended;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    await this.pause(false);
    while (!signal.aborted) {
      this.nudged = false;
      let failed = false;
      try {
        await this.work(signal);
      } catch (error) {
        failed = true;
        this.onFailure(error);
      }
      await this.pause(failed);
    }
  }

  private async pause(failed: boolean): Promise<void> {
    if (this.nudged || this.stopping.signal.aborted) return;
    const ms = typeof this.period === 'number' ? this.period : this.period(failed);
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }
}
