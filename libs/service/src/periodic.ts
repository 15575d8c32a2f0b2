import { Injectable, Logger } from '@nestjs/common';
import { Loop, type Period, TocsinError } from '@tocsin/core';

/** A job of a service. Its signal is aborted when the service stops. */
type Job = (stopping: AbortSignal) => Promise<unknown>;

/**
 * Runs the background jobs of a service until it stops.
 *
 * - Failure: it is logged and the job goes on. A failure that a retry may mend is a warning, any other is an error.
 * - Nudge: `every` gives the job's loop, whose `nudge()` runs the job at once.
 * - Stop: no further run begins, and runs under way are waited for. The injected instance stops in the phase
 *   `stop-taking`. A service whose jobs must go on for longer makes an instance of its own.
 */
@Injectable()
export class Periodic {
  private readonly logger = new Logger(Periodic.name);
  private readonly stopping = new AbortController();
  private readonly loops: Loop[] = [];
  private readonly running = new Set<Promise<void>>();

  /** Runs `job` for the first time after one period, and then one period after each run. */
  every(period: Period, name: string, job: Job): Loop {
    const loop = new Loop(period, job, (error) => this.report(name, error));
    if (this.stopping.signal.aborted) void loop.stop();
    this.loops.push(loop);
    return loop;
  }

  /** Runs `job` once, now, beside the periodic runs. */
  once(name: string, job: Job): void {
    if (this.stopping.signal.aborted) return;
    const run = this.runOnce(name, job).finally(() => this.running.delete(run));
    this.running.add(run);
  }

  /** Stops every job, and waits for the runs under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all([...this.loops.map((loop) => loop.stop()), ...this.running]);
  }

  private async runOnce(name: string, job: Job): Promise<void> {
    try {
      await job(this.stopping.signal);
    } catch (error) {
      this.report(name, error);
    }
  }

  private report(job: string, error: unknown): void {
    const expected = error instanceof TocsinError && error.retry;
    if (expected) this.logger.warn(`${job} failed and is tried again: ${error.message}`);
    else this.logger.error(`${job} failed`, error);
  }
}
