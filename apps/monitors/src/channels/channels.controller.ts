import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { type Channel, type ChannelSpec, commands, type IfRevision, requests } from '@tocsin/contracts';
import { type CommandContext, commandPattern } from '@tocsin/messaging';
import type { Aged } from '../reads.ts';
import { ChannelsReader } from './channels.reader.ts';
import { ChannelsService } from './channels.service.ts';

interface Change {
  id: string;
  ifRevision?: IfRevision;
}

@Controller()
export class ChannelsController {
  constructor(
    private readonly service: ChannelsService,
    private readonly reader: ChannelsReader,
  ) {}

  @MessagePattern(commandPattern(commands.channelsCreate))
  create(@Payload() input: { spec: ChannelSpec }, @Ctx() ctx: CommandContext): Promise<Channel> {
    return this.service.create(input, ctx);
  }

  @MessagePattern(commandPattern(commands.channelsReplace))
  replace(@Payload() input: Change & { spec: ChannelSpec }, @Ctx() ctx: CommandContext): Promise<Channel> {
    return this.service.replace(input, ctx);
  }

  @MessagePattern(commandPattern(commands.channelsDelete))
  delete(@Payload() input: Change, @Ctx() ctx: CommandContext): Promise<{ id: string }> {
    return this.service.delete(input, ctx);
  }

  @MessagePattern(requests.channelsGet.subject)
  get(@Payload() input: { id: string }): Promise<Aged<Channel>> {
    return this.reader.get(input);
  }

  @MessagePattern(requests.channelsList.subject)
  list(
    @Payload() query: { cursor?: string | undefined; limit: number },
  ): Promise<Aged<{ items: Channel[]; next?: string }>> {
    return this.reader.list(query);
  }
}
