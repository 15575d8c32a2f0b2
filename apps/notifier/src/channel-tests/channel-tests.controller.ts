import { Controller } from '@nestjs/common';
import { commands, type NotificationView, requests } from '@tocsin/contracts';
import { type ChangeRecord, type ChangesQuery, type OperationRecord, Operations } from '@tocsin/database';
import { Answers, CarriesOut, type CommandContext } from '@tocsin/messaging';
import { ChannelTestsService } from './channel-tests.service.ts';

/** Carries out tests of channels, and answers how they ended and who sent them. */
@Controller()
export class ChannelTestsController {
  constructor(
    private readonly tests: ChannelTestsService,
    private readonly operations: Operations,
  ) {}

  @CarriesOut(commands.channelsTest)
  test(input: { channelId: string }, ctx: CommandContext): Promise<NotificationView> {
    return this.tests.test(input, ctx);
  }

  @Answers(requests.changesOfNotifier)
  async changes(query: ChangesQuery): Promise<{ items: ChangeRecord[] }> {
    return { items: await this.operations.changes(query) };
  }

  @Answers(requests.operationsOfNotifier)
  operation(input: { operationId: string }): Promise<OperationRecord> {
    return this.tests.find(input.operationId);
  }
}
