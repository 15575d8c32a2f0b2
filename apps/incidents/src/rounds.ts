import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Drain } from '@tocsin/service';

/** Work that comes back in rounds until the service stops. A round that fails is logged and the next one comes in its time. */
@Injectable()
export class Rounds {
  private readonly logger = new Logger(Rounds.name);
  private readonly stopping = new AbortController();
  private readonly running = new Set<Promise<void>>();

  constructor(drain: Drain) {
    drain.onStop('stop-taking', () => this.stopping.abort());
    drain.onStop('finish', async () => void (await Promise.all(this.running)));
  }

  /** Does it again and again, about `periodMs` apart. */
  every(periodMs: number, name: string, work: () => Promise<unknown>): void {
    this.keep(this.repeat(periodMs, name, work));
  }

  /** Does it once, now, beside its rounds. */
  once(name: string, work: () => Promise<unknown>): void {
    if (!this.stopping.signal.aborted) this.keep(this.round(name, work));
  }

  private keep(work: Promise<void>): void {
    const kept = work.finally(() => this.running.delete(kept));
    this.running.add(kept);
  }

  private async repeat(periodMs: number, name: string, work: () => Promise<unknown>): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      // Instances that started together must not keep step.
      await sleep(periodMs * (0.8 + 0.4 * Math.random()), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await this.round(name, work);
    }
  }

  private async round(name: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
