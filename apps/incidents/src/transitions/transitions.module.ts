import { Module } from '@nestjs/common';
import { RedriveJob } from './redrive.job.ts';
import { RedriveService } from './redrive.service.ts';
import { TransitionsStore } from './transitions.store.ts';

/** Keeps each transition until the notifier knows it, and publishes again what the stream lost. */
@Module({
  providers: [RedriveJob, RedriveService, TransitionsStore],
  exports: [TransitionsStore],
})
export class TransitionsModule {}
