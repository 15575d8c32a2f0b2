import { systemClock, within } from '@tocsin/core';

/** How long the slot waits for the running handlers to end. */
const IDLE_WAIT_MS = 3_000;
/** After a wait without success, no handler is held up again for this long. */
const RETRY_AFTER_MS = 60_000;
/** How long the whole process stands still for one message. */
const EXCLUSIVE_MS = 10_000;

/**
 * Runs one message alone, so that a crash can only have been caused by it. There is one slot per process, shared by its
 * workers.
 */
export class ExclusiveSlot {
  private running = 0;
  private claimed = false;
  private retryAt = Number.NEGATIVE_INFINITY;
  private previous: Promise<unknown> = Promise.resolve();
  private onIdle: (() => void) | undefined;
  private readonly listeners: (() => void)[] = [];

  /** While true, no other message may begin. */
  get isClaimed(): boolean {
    return this.claimed;
  }

  /** Calls `listener` each time that others may begin again. */
  onReleased(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** A handler begins beside others. */
  enter(): void {
    this.running++;
  }

  /** A handler that entered has ended. */
  leave(): void {
    this.running--;
    if (this.running === 0) this.onIdle?.();
  }

  /**
   * Runs `act` while no other handler runs. After 10 s others may begin beside it: `onShared` is called first.
   * @returns false if other handlers still ran after 3 s, or did so within the last minute. Then `act` was not run
   */
  runExclusively(act: () => Promise<void>, onShared: () => void): Promise<boolean> {
    const run = this.previous.then(() => this.claim(act, onShared));
    this.previous = run.catch(() => undefined);
    return run;
  }

  private async claim(act: () => Promise<void>, onShared: () => void): Promise<boolean> {
    if (this.running > 0 && systemClock.monotonic() < this.retryAt) return false;
    this.claimed = true;
    if (!(await this.waitForIdle())) {
      this.retryAt = systemClock.monotonic() + RETRY_AFTER_MS;
      this.release();
      return false;
    }
    const acting = act();
    if (!(await endsWithin(EXCLUSIVE_MS, acting))) onShared();
    this.release();
    await acting;
    return true;
  }

  private release(): void {
    this.claimed = false;
    for (const listener of this.listeners) listener();
  }

  private async waitForIdle(): Promise<boolean> {
    if (this.running > 0) await endsWithin(IDLE_WAIT_MS, new Promise<void>((resolve) => (this.onIdle = resolve)));
    this.onIdle = undefined;
    return this.running === 0;
  }
}

/** Whether `act` ends within `ms`, with success or without. */
function endsWithin(ms: number, act: Promise<void>): Promise<boolean> {
  const ended = act.then(
    () => true,
    () => true,
  );
  return within(ended, ms, () => false);
}
