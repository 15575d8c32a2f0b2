import { systemClock } from '@tocsin/core';

/** How long whoever is at work is waited for, and how long it is not tried again if that was in vain. */
const HUSH_MS = 3_000;
const RESTLESS_MS = 60_000;
/** How long the whole process stands still for one message. */
const ALONE_MS = 10_000;

/**
 * One per process, shared by its workers: lets one message be handled with no other in hand, so that an end of the
 * process meanwhile speaks against that one only.
 */
export class Quiet {
  private busy = 0;
  private asked = false;
  private restlessUntil = Number.NEGATIVE_INFINITY;
  private turn: Promise<unknown> = Promise.resolve();
  private hushed: (() => void) | undefined;
  private readonly listeners: (() => void)[] = [];

  /** Nothing new may begin. */
  get isAsked(): boolean {
    return this.asked;
  }

  /** Calls `listener` each time that others may go on. */
  onOver(listener: () => void): void {
    this.listeners.push(listener);
  }

  begin(): void {
    this.busy++;
  }

  end(): void {
    this.busy--;
    if (this.busy === 0) this.hushed?.();
  }

  /**
   * Runs `act` while nobody else is at work. If it goes on for 10 s others may begin beside it: `onLapse` is called first.
   * @returns false if others were still at work after 3 s, or were lately; then it was not run
   */
  alone(act: () => Promise<void>, onLapse: () => void): Promise<boolean> {
    const mine = this.turn.then(() => this.hush(act, onLapse));
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  private async hush(act: () => Promise<void>, onLapse: () => void): Promise<boolean> {
    if (this.busy > 0 && systemClock.monotonic() < this.restlessUntil) return false;
    this.asked = true;
    const over = (): void => {
      this.asked = false;
      for (const listener of this.listeners) listener();
    };
    if (!(await this.isHushed())) {
      this.restlessUntil = systemClock.monotonic() + RESTLESS_MS;
      over();
      return false;
    }
    const acting = act();
    if (!(await within(ALONE_MS, acting))) onLapse();
    over();
    await acting;
    return true;
  }

  private async isHushed(): Promise<boolean> {
    if (this.busy > 0) await within(HUSH_MS, new Promise<void>((resolve) => (this.hushed = resolve)));
    this.hushed = undefined;
    return this.busy === 0;
  }
}

/** Whether something comes to an end, whichever, within `ms`. */
async function within(ms: number, act: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(resolve, ms, false)));
  const ended = act.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([ended, late]);
  } finally {
    clearTimeout(timer);
  }
}
