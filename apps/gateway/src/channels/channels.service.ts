import { Inject, Injectable } from '@nestjs/common';
import { type Channel, commands, requests, type routes } from '@tocsin/contracts';
import { type Answer, type Call, type Caller, created, done, ok, okAged, record } from '@tocsin/edge';
import { CONFIG } from '@tocsin/service';
import { ServiceClient } from '../service-client/service-client.ts';
import type { GatewayConfig } from '../gateway.config.ts';
import { sealSecrets, shownTo } from '../secrets.ts';

type Routes = typeof routes;

/** Channels as REST shows them: with their secrets hidden. */
@Injectable()
export class ChannelsService {
  constructor(
    private readonly owners: ServiceClient,
    @Inject(CONFIG) private readonly config: GatewayConfig,
  ) {}

  create(call: Call<Routes['channelsCreate']>): Promise<Answer> {
    const spec = sealSecrets(call.body, this.config.sealing.channels, { keeps: false });
    return this.owners.command(commands.channelsCreate, { spec }, call, (channel) =>
      created(`/v1/channels/${channel.id}`, view(channel, call.caller)),
    );
  }

  async list(call: Call<Routes['channelsList']>): Promise<Answer> {
    const page = await this.owners.read(requests.channelsList, call.query, call);
    return okAged({ ...page, items: page.items.map((channel) => view(channel, call.caller)) });
  }

  async read(call: Call<Routes['channelsGet']>): Promise<Answer> {
    const { ageMs, stale, ...channel } = await this.owners.read(requests.channelsGet, call.params, call);
    return record(view(channel, call.caller), { ageMs, stale });
  }

  replace(call: Call<Routes['channelsReplace']>): Promise<Answer> {
    const spec = sealSecrets(call.body, this.config.sealing.channels, { keeps: true });
    const { ifRevision } = call.preconditions;
    return this.owners.command(commands.channelsReplace, { ...call.params, ifRevision, spec }, call, (channel) =>
      record(view(channel, call.caller)),
    );
  }

  remove(call: Call<Routes['channelsDelete']>): Promise<Answer> {
    const { ifRevision } = call.preconditions;
    return this.owners.command(commands.channelsDelete, { ...call.params, ifRevision }, call, done);
  }

  test(call: Call<Routes['channelsTest']>): Promise<Answer> {
    return this.owners.command(commands.channelsTest, { channelId: call.params.id }, call, ok);
  }
}

function view(channel: Channel, caller: Caller | undefined): Channel {
  return { ...channel, spec: shownTo(caller, channel.spec) };
}
