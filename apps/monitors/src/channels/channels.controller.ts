import { Controller } from '@nestjs/common';
import { type Aged, type Channel, type ChannelSpec, commands, type IfRevision, requests } from '@tocsin/contracts';
import { Answers, CarriesOut, type CommandContext } from '@tocsin/messaging';
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

  @CarriesOut(commands.channelsCreate)
  create(input: { spec: ChannelSpec }, ctx: CommandContext): Promise<Channel> {
    return this.service.create(input, ctx);
  }

  @CarriesOut(commands.channelsReplace)
  replace(input: Change & { spec: ChannelSpec }, ctx: CommandContext): Promise<Channel> {
    return this.service.replace(input, ctx);
  }

  @CarriesOut(commands.channelsDelete)
  delete(input: Change, ctx: CommandContext): Promise<{ id: string }> {
    return this.service.delete(input, ctx);
  }

  @Answers(requests.channelsGet)
  get(input: { id: string }): Promise<Aged<Channel>> {
    return this.reader.get(input);
  }

  @Answers(requests.channelsList)
  list(query: { cursor?: string | undefined; limit: number }): Promise<Aged<{ items: Channel[]; next?: string }>> {
    return this.reader.list(query);
  }
}
