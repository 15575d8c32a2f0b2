import type { Socket } from 'node:net';
import type { Finding, Timings, Verdict } from '@tocsin/contracts';
import type { CheckContext } from './check.ts';
import { CheckFailure, defect, ownFailure, type Reason } from './failure.ts';
import { RunSecrets } from './run-secrets.ts';
import { clean, milliseconds } from './message-text.ts';

type Settle<T> = (value: T) => void;

const MAX_MESSAGE = 500;
/** Every timer is that late now and then. */
const SHORT_WORK_MS = 20;

/** What is known when a check ends well. */
export interface CheckOutcome {
  verdict: Verdict;
  reason: Reason;
  message: string;
}

/**
 * One run of a check: its deadline, its timings, and everything that must be gone when it ends. At most one step is
 * under way at a time, and the deadline ends that one.
 */
export class Run {
  /** What the check is doing now, as it would end the sentence "timeout after 10 s while …". */
  phase = 'starting';
  readonly timings: Timings = {};
  readonly facts: Pick<Finding, 'statusCode' | 'certificateExpiresAt'> = {};
  /** Of the certificates on its way, the one that ends first, ms since the epoch, and whose it is. */
  certificate: { expiresAt: number; name: string; host: string } | undefined;
  readonly #startedAt: number;
  readonly #timer: NodeJS.Timeout;
  readonly #sockets: Socket[] = [];
  readonly #releases: (() => void)[] = [];
  #heldUpMs = 0;
  #stopped: CheckFailure | undefined;
  #interrupt: ((why: CheckFailure) => void) | undefined;

  /** No finding repeats them. */
  readonly secrets: RunSecrets;

  constructor(readonly context: CheckContext) {
    this.secrets = new RunSecrets(context.openSecret);
    this.#startedAt = context.clock.monotonic();
    this.#timer = setTimeout(this.#expire, context.timeoutMs);
    if (context.signal?.aborted) this.#abort();
    else context.signal?.addEventListener('abort', this.#abort);
  }

  /** Milliseconds since the start of the run, by the clock that never steps. */
  elapsedMs(): number {
    return this.context.clock.monotonic() - this.#startedAt;
  }

  /** Milliseconds that are left of the run's time. */
  remainingMs(): number {
    return Math.max(0, this.context.timeoutMs - this.elapsedMs());
  }

  /** Adds to a phase's time: a check that was redirected spends each phase several times. */
  spent(phase: keyof Timings, ms: number): void {
    this.timings[phase] = (this.timings[phase] ?? 0) + ms;
  }

  /** Makes a socket the run's own: it is destroyed at the end of the run whatever happens. */
  own<S extends Socket>(socket: S): S {
    socket.on('error', ignore); // what fails after its step is over has no listener left
    this.#sockets.push(socket);
    return socket;
  }

  /**
   * One step that can be interrupted by the deadline.
   * @param begin starts it and returns how to take its listeners away
   */
  step<T>(begin: (done: Settle<T>, fail: Settle<unknown>) => () => void): Promise<T> {
    if (this.#stopped) return Promise.reject(this.#stopped);
    return new Promise<T>((resolve, reject) => {
      let over = false;
      let clear: (() => void) | undefined;
      const end = (): boolean => {
        if (over) return false;
        over = true;
        this.#interrupt = undefined;
        clear?.();
        return true;
      };
      const fail = (error: unknown): void => {
        if (end()) reject(error as Error);
      };
      this.#interrupt = fail;
      clear = begin((value) => {
        if (end()) resolve(value);
      }, fail);
      if (over) clear();
    });
  }

  /** Waits for what can't be interrupted, though no longer than the deadline. */
  waitFor<T>(work: Promise<T>): Promise<T> {
    return this.step<T>((done, fail) => {
      void (async () => {
        try {
          done(await work);
        } catch (error) {
          fail(error);
        }
      })();
      return ignore;
    });
  }

  /**
   * Does a piece of work at once, and counts how long it kept everything else in this process waiting: the CPU time of this
   * thread, as a frozen process or a busy machine is not the target's doing.
   */
  work<T>(piece: () => T): T {
    const before = process.threadCpuUsage();
    try {
      return piece();
    } finally {
      const { user, system } = process.threadCpuUsage(before);
      const ms = (user + system) / 1_000;
      // Short ones hold up nobody.
      if (ms > SHORT_WORK_MS) this.#heldUpMs += ms;
    }
  }

  /** Calls this at the end of the run whatever happens, such as to give back what it holds. */
  atEnd(release: () => void): void {
    this.#releases.push(release);
  }

  /** Runs `work` to a finding, and leaves nothing behind. Never throws. */
  async finish(work: (run: Run) => Promise<CheckOutcome>): Promise<Finding> {
    try {
      return this.#finding(await this.carryOut(work));
    } catch (error) {
      const failure = error as CheckFailure;
      return this.#finding({ verdict: 'down', reason: failure.reason, message: failure.message });
    }
  }

  /**
   * Carries out `work`, and leaves nothing behind.
   * @throws CheckFailure whatever `work` throws, and why the run was stopped where it was
   */
  async carryOut<T>(work: (run: Run) => Promise<T>): Promise<T> {
    try {
      return await work(this);
    } catch (error) {
      throw this.#stopped ?? asFailure(error, this.context);
    } finally {
      clearTimeout(this.#timer);
      this.context.signal?.removeEventListener('abort', this.#abort);
      for (const socket of this.#sockets) socket.destroy();
      for (const release of this.#releases) release();
      if (this.#heldUpMs > 0) this.context.heldUp?.(this.#heldUpMs);
    }
  }

  #finding(outcome: CheckOutcome): Finding {
    return {
      verdict: outcome.verdict,
      reason: outcome.reason,
      // A check that is well repeats nothing of its target.
      message: clean(outcome.reason === 'ok' ? outcome.message : this.secrets.redact(outcome.message), MAX_MESSAGE),
      durationMs: round(this.elapsedMs()),
      timings: rounded(this.timings),
      ...this.facts,
    };
  }

  readonly #expire = (): void => {
    this.stop(new CheckFailure('timeout', `timeout after ${milliseconds(this.context.timeoutMs)} while ${this.phase}`));
  };

  readonly #abort = (): void => {
    this.stop(new CheckFailure('aborted', `aborted: the prober stopped while ${this.phase}`));
  };

  /** Ends the run early, whatever it is doing. The first reason counts. */
  stop(why: CheckFailure): void {
    this.#stopped ??= why;
    this.#interrupt?.(this.#stopped);
  }
}

function asFailure(error: unknown, context: CheckContext): CheckFailure {
  if (error instanceof CheckFailure) return error;
  return ownFailure(error) ?? defect(error, context);
}

function rounded(timings: Timings): Timings {
  const copy: Timings = {};
  for (const phase of Object.keys(timings) as (keyof Timings)[]) copy[phase] = round(timings[phase]!);
  return copy;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function ignore(): void {}
