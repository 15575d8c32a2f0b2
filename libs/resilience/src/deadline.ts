import { systemClock, TocsinError, type Clock } from '@tocsin/core';

/** The longest delay a timer of Node can hold; a deadline beyond it is judged by `expired` alone. */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * A moment after which nobody waits for the answer any more. It is kept on the monotonic clock, so a step of the
 * wall clock neither cuts work short nor lets it run on. It travels between processes as milliseconds since the epoch.
 */
export class Deadline {
  private abortSignal: AbortSignal | undefined;

  private constructor(
    private readonly endsAt: number,
    private readonly clock: Clock,
  ) {}

  /** The deadline `ms` milliseconds from now. */
  static in(ms: number, clock: Clock = systemClock): Deadline {
    return new Deadline(clock.monotonic() + ms, clock);
  }

  /** The deadline at `epochMs` (milliseconds since the epoch), as read from a message's header. */
  static at(epochMs: number, clock: Clock = systemClock): Deadline {
    return Deadline.in(epochMs - clock.now(), clock);
  }

  /** Milliseconds left, never below zero. */
  remainingMs(): number {
    return Math.max(0, this.endsAt - this.clock.monotonic());
  }

  get expired(): boolean {
    return this.remainingMs() <= 0;
  }

  /** Aborted with a `TocsinError('deadline')` when the time is over. The timer behind it keeps no process alive. */
  get signal(): AbortSignal {
    this.abortSignal ??= this.startTimer();
    return this.abortSignal;
  }

  /** Throws `TocsinError('deadline')` when the time is over: expired work is dropped, not done. */
  throwIfExpired(what: string): void {
    if (this.expired) throw new TocsinError('deadline', `${what}: the deadline has passed, so it was not begun`);
  }

  private startTimer(): AbortSignal {
    const controller = new AbortController();
    const abort = (): void => controller.abort(new TocsinError('deadline', 'the deadline has passed'));
    if (this.expired) abort();
    else setTimeout(abort, Math.min(this.remainingMs(), LONGEST_TIMER_MS)).unref();
    return controller.signal;
  }
}
