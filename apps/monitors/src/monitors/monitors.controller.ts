import { Controller } from '@nestjs/common';
import { type Aged, commands, type IfRevision, type Monitor, type MonitorSpec, requests } from '@tocsin/contracts';
import type { ChangeRecord, ChangesQuery } from '@tocsin/database';
import { Answers, CarriesOut, type CommandContext } from '@tocsin/messaging';
import { OperationsReader } from '../operations.reader.ts';
import { type MonitorsQuery, MonitorsReader } from './monitors.reader.ts';
import { MonitorsService } from './monitors.service.ts';

interface Change {
  id: string;
  ifRevision?: IfRevision;
}

@Controller()
export class MonitorsController {
  constructor(
    private readonly service: MonitorsService,
    private readonly reader: MonitorsReader,
    private readonly operations: OperationsReader,
  ) {}

  @CarriesOut(commands.monitorsCreate)
  create(input: { spec: MonitorSpec }, ctx: CommandContext): Promise<Monitor> {
    return this.service.create(input, ctx);
  }

  @CarriesOut(commands.monitorsReplace)
  replace(input: Change & { spec: MonitorSpec }, ctx: CommandContext): Promise<Monitor> {
    return this.service.replace(input, ctx);
  }

  @CarriesOut(commands.monitorsPatch)
  patch(input: Change & { patch: Record<string, unknown> }, ctx: CommandContext): Promise<Monitor> {
    return this.service.patch(input, ctx);
  }

  @CarriesOut(commands.monitorsDelete)
  delete(input: Change, ctx: CommandContext): Promise<{ id: string }> {
    return this.service.delete(input, ctx);
  }

  @CarriesOut(commands.monitorsCheck)
  check(input: { id: string }, ctx: CommandContext): Promise<{ id: string }> {
    return this.service.check(input, ctx);
  }

  @Answers(requests.monitorsGet)
  get(input: { id: string }): Promise<Aged<{ monitor: Monitor }>> {
    return this.reader.get(input);
  }

  @Answers(requests.monitorsList)
  list(query: MonitorsQuery): Promise<Aged<{ items: Monitor[]; next?: string }>> {
    return this.reader.list(query);
  }

  @Answers(requests.changesOfMonitors)
  async changes(query: ChangesQuery): Promise<{ items: ChangeRecord[] }> {
    return { items: await this.operations.changes(query) };
  }

  @Answers(requests.operationsOfMonitors)
  operation(input: { operationId: string }): ReturnType<OperationsReader['find']> {
    return this.operations.find(input);
  }
}
