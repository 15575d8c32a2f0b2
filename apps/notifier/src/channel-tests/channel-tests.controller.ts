import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { commands, type NotificationView, requests } from '@tocsin/contracts';
import { type ChangeRecord, type ChangesQuery, type OperationRecord, Operations } from '@tocsin/database';
import { type CommandContext, commandPattern } from '@tocsin/messaging';
import { ChannelTestsService } from './channel-tests.service.ts';

/** Carries out tests of channels, and answers how they ended and who sent them. */
@Controller()
export class ChannelTestsController {
  constructor(
    private readonly tests: ChannelTestsService,
    private readonly operations: Operations,
  ) {}

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
