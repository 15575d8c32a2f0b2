import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { commands, type IfRevision, type Monitor, type MonitorSpec, requests } from '@tocsin/contracts';
import type { ChangeRecord, ChangesQuery } from '@tocsin/database';
import { type CommandContext, commandPattern } from '@tocsin/messaging';
import { OperationsReader } from '../operations.reader.ts';
import type { Aged } from '../reads.ts';
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

  @MessagePattern(commandPattern(commands.monitorsCreate))
  create(@Payload() input: { spec: MonitorSpec }, @Ctx() ctx: CommandContext): Promise<Monitor> {
    return this.service.create(input, ctx);
  }

  @MessagePattern(commandPattern(commands.monitorsReplace))
  replace(@Payload() input: Change & { spec: MonitorSpec }, @Ctx() ctx: CommandContext): Promise<Monitor> {
    return this.service.replace(input, ctx);
  }

  @MessagePattern(commandPattern(commands.monitorsPatch))
  patch(@Payload() input: Change & { patch: Record<string, unknown> }, @Ctx() ctx: CommandContext): Promise<Monitor> {
    return this.service.patch(input, ctx);
  }

  @MessagePattern(commandPattern(commands.monitorsDelete))
  delete(@Payload() input: Change, @Ctx() ctx: CommandContext): Promise<{ id: string }> {
    return this.service.delete(input, ctx);
  }

  @MessagePattern(commandPattern(commands.monitorsCheck))
  check(@Payload() input: { id: string }, @Ctx() ctx: CommandContext): Promise<{ id: string }> {
    return this.service.check(input, ctx);
  }

  @MessagePattern(requests.monitorsGet.subject)
  get(@Payload() input: { id: string }): Promise<Aged<{ monitor: Monitor }>> {
    return this.reader.get(input);
  }

  @MessagePattern(requests.monitorsList.subject)
  list(@Payload() query: MonitorsQuery): Promise<Aged<{ items: Monitor[]; next?: string }>> {
    return this.reader.list(query);
  }

  @MessagePattern(requests.changesOfMonitors.subject)
  async changes(@Payload() query: ChangesQuery): Promise<{ items: ChangeRecord[] }> {
    return { items: await this.operations.changes(query) };
  }

  @MessagePattern(requests.operationsOfMonitors.subject)
  operation(@Payload() input: { operationId: string }): ReturnType<OperationsReader['find']> {
    return this.operations.find(input);
  }
}
