import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { TocsinError } from '@tocsin/core';
import { CONFIG, Drain } from '@tocsin/service';
import type { MonitorsConfig } from '../monitors.config.ts';
import { SealedRecords } from './sealed-records.ts';

/** Until the next attempt, when the database was away. */
const AGAIN_MS = 5_000;
/** Until the next look: while keys are changed, whoever still has the ones before goes on sealing with them. */
const NEXT_MS = 3_600_000;

/**
 * Has everything sealed with the first key while the service has several: when all of it was, the others can be taken away.
 * Any number of instances may do it at once.
 */
@Injectable()
export class Resealer implements OnApplicationBootstrap {
  private readonly logger = new Logger('Resealer');
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  /** Whether somebody can read how it stands; a look that finds nothing says nothing more. */
  private said = false;

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
    this.running = this.run().then(
      () => this.later(NEXT_MS),
      (error: unknown) => {
        const expected = error instanceof TocsinError && error.retry;
        this.logger[expected ? 'warn' : 'error'](
          `not every secret is sealed with the present key yet: ${String(error)}`,
        );
        this.later(AGAIN_MS);
      },
    );
  }

  private later(ms: number): void {
    if (!this.stopping.signal.aborted) this.timer = setTimeout(() => this.begin(), ms);
  }

  private async run(): Promise<void> {
    const { resealed, lost } = await this.records.resealAll(this.stopping.signal);
    if (this.stopping.signal.aborted || (this.said && resealed === 0)) return;
    this.said = true;
    for (const id of lost) {
      this.logger.warn(`a secret of ${id} opens with none of the keys that are given; it must be entered again`);
    }
    this.logger.log(
      `every secret that opens is sealed with the present key; those of ${resealed} monitors and channels were not`,
    );
  }
}
