import { Module } from '@nestjs/common';
import { routes } from '@tocsin/contracts';
import { EdgeModule } from '@tocsin/edge';
import { ChannelsController } from './channels/channels.controller.ts';
import { ChannelsService } from './channels/channels.service.ts';
import { DeadLettersController } from './dead-letters/dead-letters.controller.ts';
import { DeadLettersService } from './dead-letters/dead-letters.service.ts';
import { DocsController } from './docs/docs.controller.ts';
import { ServiceClient } from './service-client/service-client.ts';
import { EventFeed } from './events/event-feed.ts';
import { EventsController } from './events/events.controller.ts';
import { EventsService } from './events/events.service.ts';
import { HeartbeatsController } from './heartbeats/heartbeats.controller.ts';
import { HeartbeatsService } from './heartbeats/heartbeats.service.ts';
import { IncidentsController } from './incidents/incidents.controller.ts';
import { KindsController } from './kinds/kinds.controller.ts';
import { MonitorsController } from './monitors/monitors.controller.ts';
import { MonitorsService } from './monitors/monitors.service.ts';
import { NotificationsController } from './notifications/notifications.controller.ts';
import { MonitorMetrics } from './reports/monitor-metrics.ts';
import { ReportsController } from './reports/reports.controller.ts';
import { ChangesService } from './system/changes.service.ts';
import { OperationsService } from './system/operations.service.ts';
import { SystemController } from './system/system.controller.ts';
import { SystemService } from './system/system.service.ts';
import { TokensController } from './tokens/tokens.controller.ts';

/** Every controller that serves rows of the route table. */
export const restControllers = [
  MonitorsController,
  ReportsController,
  ChannelsController,
  TokensController,
  IncidentsController,
  NotificationsController,
  DeadLettersController,
  KindsController,
  SystemController,
  EventsController,
  HeartbeatsController,
];

@Module({
  imports: [EdgeModule.forRoot(routes)],
  controllers: [...restControllers, DocsController],
  providers: [
    ServiceClient,
    MonitorsService,
    MonitorMetrics,
    ChannelsService,
    DeadLettersService,
    SystemService,
    OperationsService,
    ChangesService,
    EventFeed,
    EventsService,
    HeartbeatsService,
  ],
})
export class GatewayModule {}
