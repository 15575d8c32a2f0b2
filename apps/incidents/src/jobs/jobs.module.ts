import { Module } from '@nestjs/common';
import { PeriodicJobs } from './periodic-jobs.ts';

@Module({ providers: [PeriodicJobs], exports: [PeriodicJobs] })
export class JobsModule {}
