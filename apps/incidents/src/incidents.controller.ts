import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import {
  commands,
  type Heartbeat,
  type IncidentView,
  type MonitorConfig,
  requests,
  type Result,
} from '@tocsin/contracts';
import { type ChangeRecord, type ChangesQuery, type OperationRecord, Operations } from '@tocsin/database';
import { type CommandContext, commandPattern, type Delivery, type RequestContext } from '@tocsin/messaging';
import { FoldService } from './fold/fold.service.ts';
import { HeartbeatsService } from './heartbeats/heartbeats.service.ts';
import { IncidentsService } from './incidents/incidents.service.ts';
import { MonitorsService } from './monitors/monitors.service.ts';

/** What other services ask of this one. */
@Controller()
export class IncidentsController {
  constructor(
    private readonly fold: FoldService,
    private readonly heartbeats: HeartbeatsService,
    private readonly monitors: MonitorsService,
    private readonly incidents: IncidentsService,
    private readonly operations: Operations,
  ) {}

  @EventPattern('incidentsResults', { batch: 250, lingerMs: 50, concurrency: 1 })
  results(@Payload() deliveries: Delivery<Result>[]): Promise<void> {
    return this.fold.fold(deliveries);
  }

  @EventPattern('incidentsHeartbeats', { batch: 100, lingerMs: 3, concurrency: 1 })
  pings(@Payload() deliveries: Delivery<Heartbeat>[]): Promise<void> {
    return this.heartbeats.fold(deliveries);
  }

  @EventPattern('incidentsConfig', { batch: 200, lingerMs: 3, concurrency: 1 })
  config(@Payload() deliveries: Delivery<MonitorConfig>[]): Promise<void> {
    return this.monitors.apply(deliveries.map(({ data }) => data));
  }

  @MessagePattern(commandPattern(commands.incidentsAcknowledge))
  acknowledge(
    @Payload() input: { id: string; note?: string },
    @Ctx() operation: CommandContext,
  ): Promise<IncidentView> {
    return this.incidents.acknowledge(input, operation);
  }

  @MessagePattern(commandPattern(commands.incidentsNote))
  note(@Payload() input: { id: string; text: string }, @Ctx() operation: CommandContext): Promise<IncidentView> {
    return this.incidents.note(input, operation);
  }

  @MessagePattern(requests.changesOfIncidents.subject)
  async changes(@Payload() query: ChangesQuery): Promise<{ items: ChangeRecord[] }> {
    return { items: await this.operations.changes(query) };
  }

  @MessagePattern(requests.operationsOfIncidents.subject)
  operation(@Payload() input: { operationId: string }, @Ctx() _context: RequestContext): Promise<OperationRecord> {
    return this.operations.find(input.operationId);
  }
}
