import { Module } from '@nestjs/common';
import { Answers } from './answers.ts';
import { CoverageReports } from './coverage.ts';
import { HistoryController } from './history.controller.ts';
import { Incidents } from './incidents.ts';
import { Invalidation } from './invalidation.ts';
import { Notifications } from './notifications.ts';
import { Records } from './records.ts';
import { Reports } from './reports.ts';
import { Results } from './results.ts';
import { States } from './states.ts';
import { StatusController } from './status.controller.ts';
import { Tallies } from './tallies.ts';

@Module({
  controllers: [StatusController, HistoryController],
  providers: [
    Answers,
    CoverageReports,
    Incidents,
    Invalidation,
    Notifications,
    Records,
    Reports,
    Results,
    States,
    Tallies,
  ],
})
export class StatusModule {}
