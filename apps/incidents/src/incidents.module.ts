import { Module } from '@nestjs/common';
import { CommandsController } from './commands/commands.controller.ts';
import { CommandsService } from './commands/commands.service.ts';
import { IncidentStore } from './commands/incident.store.ts';
import { ConfirmationAsker } from './fold/confirmation-asker.ts';
import { FoldController } from './fold/fold.controller.ts';
import { FoldService } from './fold/fold.service.ts';
import { HeartbeatsController } from './heartbeats/heartbeats.controller.ts';
import { HeartbeatsService } from './heartbeats/heartbeats.service.ts';
import { ForgettingService } from './history/forgetting.service.ts';
import { HistoryService } from './history/history.service.ts';
import { PartitionsService } from './history/partitions.service.ts';
import { RollupsService } from './history/rollups.service.ts';
import { IncidentsStore } from './incidents.store.ts';
import { PostgresIncidentsStore } from './incidents.store.postgres.ts';
import { Loops } from './loops.ts';
import { MonitorReader, MonitorReaderParts } from './monitors/monitor-reader.ts';
import { MonitorsController } from './monitors/monitors.controller.ts';
import { MonitorsService } from './monitors/monitors.service.ts';
import { MonitorsStore } from './monitors/monitors.store.ts';
import { Rounds } from './rounds.ts';
import { Road } from './sweep/road.ts';
import { RoadHealth } from './sweep/road.health.ts';
import { StateSweep } from './sweep/state-sweep.ts';
import { SweepService } from './sweep/sweep.service.ts';
import { SweepStore } from './sweep/sweep.store.ts';
import { RedriveLoop } from './transitions/redrive.loop.ts';
import { RedriveService } from './transitions/redrive.service.ts';
import { TransitionsStore } from './transitions/transitions.store.ts';

@Module({
  controllers: [CommandsController, FoldController, HeartbeatsController, MonitorsController],
  providers: [
    { provide: IncidentsStore, useClass: PostgresIncidentsStore },
    ConfirmationAsker,
    FoldService,
    ForgettingService,
    HeartbeatsService,
    HistoryService,
    CommandsService,
    IncidentStore,
    Loops,
    MonitorReader,
    MonitorReaderParts,
    MonitorsService,
    MonitorsStore,
    PartitionsService,
    RedriveLoop,
    RedriveService,
    Road,
    RoadHealth,
    RollupsService,
    Rounds,
    StateSweep,
    SweepService,
    SweepStore,
    TransitionsStore,
  ],
})
export class IncidentsModule {}
