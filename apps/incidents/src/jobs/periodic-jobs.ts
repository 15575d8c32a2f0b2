import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Drain } from '@tocsin/service';

/** Runs jobs periodically until the service stops. A run that fails is logged, and the next one follows in its time. */
@Injectable()
export class PeriodicJobs {
  private readonly logger = new Logger(PeriodicJobs.name);
  private readonly stopping = new AbortController();
  private readonly running = new Set<Promise<void>>();

  constructor(drain: Drain) {
    drain.onStop('stop-taking', () => this.stopping.abort());
    drain.onStop('finish', async () => void (await Promise.all(this.running)));
  }

  /** Runs `work` about every `periodMs`, with jitter. */
  every(periodMs: number, name: string, work: () => Promise<unknown>): void {
    this.keep(this.repeat(periodMs, name, work));
  }

  /** Runs `work` once, now, beside its periodic runs. */
  once(name: string, work: () => Promise<unknown>): void {
    if (!this.stopping.signal.aborted) this.keep(this.run(name, work));
  }

  private keep(work: Promise<void>): void {
    const kept = work.finally(() => this.running.delete(kept));
    this.running.add(kept);
  }

  private async repeat(periodMs: number, name: string, work: () => Promise<unknown>): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      // Instances that started together must not run their jobs at the same moments.
      await sleep(periodMs * (0.8 + 0.4 * Math.random()), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await this.run(name, work);
    }
  }

  private async run(name: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
