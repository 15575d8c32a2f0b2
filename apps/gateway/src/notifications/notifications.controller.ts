import { Controller } from '@nestjs/common';
import { requests, routes } from '@tocsin/contracts';
import { type Answer, type Call, okAged, Serve } from '@tocsin/edge';
import { ServiceClient } from '../service-client/service-client.ts';
import { shownTo } from './answers.ts';

@Controller()
export class NotificationsController {
  constructor(private readonly owners: ServiceClient) {}

  @Serve(routes.notificationsList)
  async list(call: Call<typeof routes.notificationsList>): Promise<Answer> {
    const { items, ...page } = await this.owners.read(requests.notificationsList, call.query, call);
    return okAged({ ...page, items: items.map((one) => shownTo(call.caller, one)) });
  }

  @Serve(routes.notificationsGet)
  async read(call: Call<typeof routes.notificationsGet>): Promise<Answer> {
    return okAged(shownTo(call.caller, await this.owners.read(requests.notificationsGet, call.params, call)));
  }
}
