import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, Drain } from '@tocsin/service';
import { HistoryService } from './history/history.service.ts';
import type { IncidentsConfig } from './incidents.config.ts';
import { SweepService } from './sweep/sweep.service.ts';

const HOUR_MS = 3_600_000;

/** What this service does by itself, again and again. A round that fails is logged and the next one comes in its time. */
@Injectable()
export class Loops implements OnApplicationBootstrap {
  private readonly logger = new Logger(Loops.name);
  private readonly stopping = new AbortController();
  private running: Promise<void>[] = [];

  constructor(
    private readonly sweep: SweepService,
    private readonly history: HistoryService,
    private readonly drain: Drain,
    @Inject(CONFIG) private readonly config: IncidentsConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.drain.onStop('stop-taking', () => this.stopping.abort());
    this.drain.onStop('finish', async () => void (await Promise.all(this.running)));
    this.running = [
      this.every(this.config.sweepMs, 'sweep', () => this.sweep.run()),
      this.every(this.config.rollupMs, 'roll-ups', () => this.history.rollUp()),
      this.every(HOUR_MS, 'history', () => this.history.maintain()),
    ];
  }

  private async every(periodMs: number, name: string, work: () => Promise<unknown>): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      // Instances that started together must not keep step.
      await sleep(periodMs * (0.8 + 0.4 * Math.random()), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await work().catch((error: unknown) =>
        this.logger.warn(`${name}: ${error instanceof Error ? error.message : String(error)}`),
      );
    }
  }
}
