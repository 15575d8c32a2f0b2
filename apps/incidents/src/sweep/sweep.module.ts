import { Module } from '@nestjs/common';
import { FoldModule } from '../fold/fold.module.ts';
import { HeartbeatsModule } from '../heartbeats/heartbeats.module.ts';
import { StatesModule } from '../states/states.module.ts';
import { IntakeHealthIndicator } from './intake-health.indicator.ts';
import { IntakeHealth } from './intake-health.ts';
import { StateSweep } from './state-sweep.ts';
import { SweepService } from './sweep.service.ts';
import { SweepStore } from './sweep.store.ts';

/** Finds what did not happen: windows, results, confirmations and pings that nobody sent. */
@Module({
  imports: [FoldModule, HeartbeatsModule, StatesModule],
  providers: [IntakeHealth, IntakeHealthIndicator, StateSweep, SweepService, SweepStore],
  exports: [SweepService],
})
export class SweepModule {}
