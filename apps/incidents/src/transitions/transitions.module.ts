import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.ts';
import { RedriveJob } from './redrive.job.ts';
import { RedriveService } from './redrive.service.ts';
import { TransitionsStore } from './transitions.store.ts';

/** Keeps each transition until the notifier knows it, and publishes again what the stream lost. */
@Module({
  imports: [JobsModule],
  providers: [RedriveJob, RedriveService, TransitionsStore],
  exports: [TransitionsStore],
})
export class TransitionsModule {}
