import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { type ChannelConfig, commands, type IncidentEvent, type NotificationView, requests } from '@tocsin/contracts';
import { type ChangeRecord, type ChangesQuery, type OperationRecord, Operations } from '@tocsin/database';
import { type CommandContext, commandPattern } from '@tocsin/messaging';
import { NotificationsStore, type TransitionRef } from './notifications.store.ts';
import { Recorder } from './recorder.ts';
import { TestsService } from './tests.service.ts';

@Controller()
export class NotifierController {
  constructor(
    private readonly recorder: Recorder,
    private readonly store: NotificationsStore,
    private readonly tests: TestsService,
    private readonly operations: Operations,
  ) {}

  @EventPattern('notifierIncidents', { concurrency: 32 })
  incident(@Payload() event: IncidentEvent): Promise<void> {
    return this.recorder.record(event);
  }

  @EventPattern('notifierConfig', { concurrency: 8 })
  channel(@Payload() config: ChannelConfig): Promise<void> {
    return this.store.putChannel(config);
  }

  @MessagePattern(requests.transitionsKnown.subject)
  async known(@Payload() { transitions }: { transitions: TransitionRef[] }): Promise<{ known: TransitionRef[] }> {
    return { known: await this.store.known(transitions) };
  }

  @MessagePattern(commandPattern(commands.channelsTest))
  test(@Payload() input: { channelId: string }, @Ctx() ctx: CommandContext): Promise<NotificationView> {
    return this.tests.test(input, ctx);
  }

  @MessagePattern(requests.changesOfNotifier.subject)
  async changes(@Payload() query: ChangesQuery): Promise<{ items: ChangeRecord[] }> {
    return { items: await this.operations.changes(query) };
  }

  @MessagePattern(requests.operationsOfNotifier.subject)
  operation(@Payload() input: { operationId: string }): Promise<OperationRecord> {
    return this.tests.find(input.operationId);
  }
}
