import { Injectable } from '@nestjs/common';
import { Database, purgeOperations } from '@tocsin/database';
import { PartitionsService } from './partitions.service.ts';
import { RollupsService } from './rollups.service.ts';

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
    await purgeOperations(this.database, OPERATIONS_KEPT_MS);
  }
}
