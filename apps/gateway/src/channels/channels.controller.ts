import { Controller } from '@nestjs/common';
import { routes } from '@tocsin/contracts';
import { type Answer, type Call, Serve } from '@tocsin/edge';
import { ChannelsService } from './channels.service.ts';

@Controller()
export class ChannelsController {
  constructor(private readonly channels: ChannelsService) {}

  @Serve(routes.channelsCreate)
  create(call: Call<typeof routes.channelsCreate>): Promise<Answer> {
    return this.channels.create(call);
  }

  @Serve(routes.channelsList)
  list(call: Call<typeof routes.channelsList>): Promise<Answer> {
    return this.channels.list(call);
  }

  @Serve(routes.channelsGet)
  read(call: Call<typeof routes.channelsGet>): Promise<Answer> {
    return this.channels.read(call);
  }

  @Serve(routes.channelsReplace)
  replace(call: Call<typeof routes.channelsReplace>): Promise<Answer> {
    return this.channels.replace(call);
  }

  @Serve(routes.channelsDelete)
  remove(call: Call<typeof routes.channelsDelete>): Promise<Answer> {
    return this.channels.remove(call);
  }

  @Serve(routes.channelsTest)
  test(call: Call<typeof routes.channelsTest>): Promise<Answer> {
    return this.channels.test(call);
  }
}
