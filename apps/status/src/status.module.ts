import { Module } from '@nestjs/common';
import { Answers } from './answers.ts';
import { HistoryController } from './history.controller.ts';
import { Incidents } from './incidents.ts';
import { Invalidation } from './invalidation.ts';
import { Notifications } from './notifications.ts';
import { Records } from './records.ts';
import { Reports } from './reports.ts';
import { Results } from './results.ts';
import { States } from './states.ts';
import { StatusController } from './status.controller.ts';

@Module({
  controllers: [StatusController, HistoryController],
  providers: [Answers, Incidents, Invalidation, Notifications, Records, Reports, Results, States],
})
export class StatusModule {}
