import { Module } from '@nestjs/common';
import { HistoryService } from './history.service.ts';
import { PartitionsService } from './partitions.service.ts';
import { RetentionService } from './retention.service.ts';
import { RollupsService } from './rollups.service.ts';

/** Rolls the history up, partitions it, and drops what is too old. */
@Module({
  providers: [HistoryService, PartitionsService, RetentionService, RollupsService],
  exports: [HistoryService],
})
export class HistoryModule {}
