import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { TocsinError } from '@tocsin/core';
import { CONFIG, Drain } from '@tocsin/service';
import type { MonitorsConfig } from '../monitors.config.ts';
import { SealedRecords } from './sealed-records.ts';

/** Until the next attempt, when the database was away. */
const AGAIN_MS = 5_000;

/**
 * Has everything sealed with the first key when the service starts with several: afterwards the others can be taken away.
 * Any number of instances may do it at once.
 */
@Injectable()
export class Resealer implements OnApplicationBootstrap {
  private readonly logger = new Logger('Resealer');
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly records: SealedRecords,
    private readonly drain: Drain,
    @Inject(CONFIG) private readonly config: MonitorsConfig,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.config.reseals) return;
    this.drain.onStop('stop-taking', async () => {
      this.stopping.abort();
      clearTimeout(this.timer);
      await this.running;
    });
    this.begin();
  }

  private begin(): void {
    this.running = this.run().catch((error: unknown) => {
      const expected = error instanceof TocsinError && error.retry;
      this.logger[expected ? 'warn' : 'error'](`not every secret is sealed with the present key yet: ${String(error)}`);
      if (!this.stopping.signal.aborted) this.timer = setTimeout(() => this.begin(), AGAIN_MS);
    });
  }

  private async run(): Promise<void> {
    const { resealed, lost } = await this.records.resealAll(this.stopping.signal);
    if (this.stopping.signal.aborted) return;
    for (const id of lost) {
      this.logger.warn(`a secret of ${id} opens with none of the keys that are given; it must be entered again`);
    }
    this.logger.log(
      `every secret that opens is sealed with the present key; those of ${resealed} monitors and channels were not`,
    );
  }
}
