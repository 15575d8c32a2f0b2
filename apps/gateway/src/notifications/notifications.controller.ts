import { Controller } from '@nestjs/common';
import { requests, routes } from '@tocsin/contracts';
import { type Answer, okAged } from '../edge/answer.ts';
import { type Call, FromCall, Serve } from '../edge/call.ts';
import { Owners } from '../edge/owners.ts';

@Controller()
export class NotificationsController {
  constructor(private readonly owners: Owners) {}

  @Serve(routes.notificationsList)
  async list(@FromCall() call: Call<typeof routes.notificationsList>): Promise<Answer> {
    return okAged(await this.owners.read(requests.notificationsList, call.query, call));
  }

  @Serve(routes.notificationsGet)
  async read(@FromCall() call: Call<typeof routes.notificationsGet>): Promise<Answer> {
    return okAged(await this.owners.read(requests.notificationsGet, call.params, call));
  }
}
