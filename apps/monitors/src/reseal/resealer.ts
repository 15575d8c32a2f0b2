import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, Periodic } from '@tocsin/service';
import type { MonitorsConfig } from '../monitors.config.ts';
import { SealedRecords } from './sealed-records.ts';

/** Until the next attempt after a failure. */
const AGAIN_MS = 5_000;
/** Until the next look: while keys are changed, a process that has only the keys before goes on sealing with them. */
const NEXT_MS = 3_600_000;

/**
 * Seals everything with the first key while the service has several keys. When all is sealed so, the others can be taken
 * away. Any number of instances may do it at the same time.
 */
@Injectable()
export class Resealer implements OnApplicationBootstrap {
  private readonly logger = new Logger('Resealer');
  /** Whether the log says that all is sealed: later looks that find nothing to seal are not logged. */
  private said = false;

  constructor(
    private readonly records: SealedRecords,
    private readonly periodic: Periodic,
    @Inject(CONFIG) private readonly config: MonitorsConfig,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.config.reseals) return;
    const period = (failed: boolean) => (failed ? AGAIN_MS : NEXT_MS);
    const sealing = 'sealing every secret with the present key';
    this.periodic.every(period, sealing, (stopping) => this.run(stopping)).nudge();
  }

  private async run(stopping: AbortSignal): Promise<void> {
    const { resealed, lost } = await this.records.resealAll(stopping);
    if (stopping.aborted || (this.said && resealed === 0)) return;
    this.said = true;
    for (const id of lost) {
      this.logger.warn(`a secret of ${id} opens with none of the keys that are given; it must be entered again`);
    }
    this.logger.log(
      `every secret that opens is sealed with the present key; those of ${resealed} monitors and channels were not`,
    );
  }
}
