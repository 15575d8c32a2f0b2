import { Module } from '@nestjs/common';
import { CommandsModule } from './commands/commands.module.ts';
import { FoldModule } from './fold/fold.module.ts';
import { HeartbeatsModule } from './heartbeats/heartbeats.module.ts';
import { HistoryModule } from './history/history.module.ts';
import { BackgroundJobs } from './jobs/background-jobs.ts';
import { MonitorsModule } from './monitors/monitors.module.ts';
import { SweepModule } from './sweep/sweep.module.ts';
import { TransitionsModule } from './transitions/transitions.module.ts';

@Module({
  imports: [
    CommandsModule,
    FoldModule,
    HeartbeatsModule,
    HistoryModule,
    MonitorsModule,
    SweepModule,
    TransitionsModule,
  ],
  providers: [BackgroundJobs],
})
export class IncidentsModule {}
