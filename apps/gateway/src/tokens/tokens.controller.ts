import { Controller } from '@nestjs/common';
import { commands, requests, routes } from '@tocsin/contracts';
import { type Answer, type Call, created, done, ok, Serve } from '@tocsin/edge';
import { ServiceClient } from '../service-client/service-client.ts';

@Controller()
export class TokensController {
  constructor(private readonly owners: ServiceClient) {}

  @Serve(routes.tokensCreate)
  create(call: Call<typeof routes.tokensCreate>): Promise<Answer> {
    return this.owners.command(commands.tokensCreate, { spec: call.body }, call, (token) =>
      created(`/v1/tokens/${token.id}`, token),
    );
  }

  @Serve(routes.tokensList)
  async list(call: Call<typeof routes.tokensList>): Promise<Answer> {
    return ok(await this.owners.read(requests.tokensList, call.query, call));
  }

  @Serve(routes.tokensDelete)
  remove(call: Call<typeof routes.tokensDelete>): Promise<Answer> {
    return this.owners.command(commands.tokensDelete, call.params, call, done);
  }
}
