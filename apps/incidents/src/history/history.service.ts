import { Injectable } from '@nestjs/common';
import { RetentionService } from './retention.service.ts';
import { PartitionsService } from './partitions.service.ts';
import { RollupsService } from './rollups.service.ts';

/** Keeps the history in shape: rolled up, partitioned, indexed, and no longer than it is wanted. */
@Injectable()
export class HistoryService {
  constructor(
    private readonly rollups: RollupsService,
    private readonly partitions: PartitionsService,
    private readonly retention: RetentionService,
  ) {}

  async rollUp(): Promise<void> {
    await this.rollups.run();
  }

  async index(): Promise<void> {
    await this.partitions.index();
  }

  async maintain(): Promise<void> {
    await this.partitions.run();
    await this.retention.run();
  }
}
