import { Injectable } from '@nestjs/common';
import { Database, purgeOperations } from '@tocsin/database';
import { PartitionsService } from './partitions.service.ts';
import { RollupsService } from './rollups.service.ts';
import { FORGET_TOTALS } from './rollups.sql.ts';

/** Spans that ended before anything that is still kept. */
const FORGET_SPANS = `DELETE FROM spans p USING history_kept k WHERE k.seconds = 86400 AND p.until_at < k.since`;
const OPERATIONS_KEPT_MS = 48 * 3_600_000;

/** Keeps the history in shape: rolled up, partitioned, and no longer than it is wanted. */
@Injectable()
export class HistoryService {
  constructor(
    private readonly rollups: RollupsService,
    private readonly partitions: PartitionsService,
    private readonly database: Database,
  ) {}

  async rollUp(): Promise<void> {
    await this.rollups.run();
  }

  async maintain(): Promise<void> {
    await this.partitions.run();
    for (const forget of FORGET_TOTALS) await this.database.query(forget, []);
    await this.database.query(FORGET_SPANS, []);
    await purgeOperations(this.database, OPERATIONS_KEPT_MS);
  }
}
