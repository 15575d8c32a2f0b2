import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { commands, type IncidentView, requests } from '@tocsin/contracts';
import { type ChangeRecord, type ChangesQuery, type OperationRecord, Operations } from '@tocsin/database';
import { type CommandContext, commandPattern } from '@tocsin/messaging';
import { CommandsService } from './commands.service.ts';

/** Carries out commands on incidents, and answers what became of them. */
@Controller()
export class CommandsController {
  constructor(
    private readonly service: CommandsService,
    private readonly operations: Operations,
  ) {}

  @MessagePattern(commandPattern(commands.incidentsAcknowledge))
  acknowledge(
    @Payload() input: { id: string; note?: string },
    @Ctx() operation: CommandContext,
  ): Promise<IncidentView> {
    return this.service.acknowledge(input, operation);
  }

  @MessagePattern(commandPattern(commands.incidentsNote))
  note(@Payload() input: { id: string; text: string }, @Ctx() operation: CommandContext): Promise<IncidentView> {
    return this.service.note(input, operation);
  }

  @MessagePattern(requests.changesOfIncidents.subject)
  async changes(@Payload() query: ChangesQuery): Promise<{ items: ChangeRecord[] }> {
    return { items: await this.operations.changes(query) };
  }

  @MessagePattern(requests.operationsOfIncidents.subject)
  operation(@Payload() input: { operationId: string }): Promise<OperationRecord> {
    return this.operations.find(input.operationId);
  }
}
