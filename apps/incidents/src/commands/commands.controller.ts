import { Controller } from '@nestjs/common';
import { commands, type IncidentView, requests } from '@tocsin/contracts';
import { type ChangeRecord, type ChangesQuery, type OperationRecord, Operations } from '@tocsin/database';
import { Answers, CarriesOut, type CommandContext } from '@tocsin/messaging';
import { CommandsService } from './commands.service.ts';

/** Carries out commands on incidents, and answers what became of them. */
@Controller()
export class CommandsController {
  constructor(
    private readonly service: CommandsService,
    private readonly operations: Operations,
  ) {}

  @CarriesOut(commands.incidentsAcknowledge)
  acknowledge(input: { id: string; note?: string | undefined }, operation: CommandContext): Promise<IncidentView> {
    return this.service.acknowledge(input, operation);
  }

  @CarriesOut(commands.incidentsNote)
  note(input: { id: string; text: string }, operation: CommandContext): Promise<IncidentView> {
    return this.service.note(input, operation);
  }

  @Answers(requests.changesOfIncidents)
  async changes(query: ChangesQuery): Promise<{ items: ChangeRecord[] }> {
    return { items: await this.operations.changes(query) };
  }

  @Answers(requests.operationsOfIncidents)
  operation(input: { operationId: string }): Promise<OperationRecord> {
    return this.operations.find(input.operationId);
  }
}
