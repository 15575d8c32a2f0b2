import { Controller } from '@nestjs/common';
import { commands, requests, routes } from '@tocsin/contracts';
import { type Answer, type Call, created, ok, okAged, Serve } from '@tocsin/edge';
import { ServiceClient } from '../service-client/service-client.ts';

@Controller()
export class IncidentsController {
  constructor(private readonly owners: ServiceClient) {}

  @Serve(routes.incidentsList)
  async list(call: Call<typeof routes.incidentsList>): Promise<Answer> {
    return okAged(await this.owners.read(requests.incidentsList, call.query, call));
  }

  @Serve(routes.incidentsGet)
  async read(call: Call<typeof routes.incidentsGet>): Promise<Answer> {
    return okAged(await this.owners.read(requests.incidentsGet, call.params, call));
  }

  @Serve(routes.incidentsAcknowledge)
  acknowledge(call: Call<typeof routes.incidentsAcknowledge>): Promise<Answer> {
    return this.owners.command(commands.incidentsAcknowledge, { ...call.params, ...call.body }, call, ok);
  }

  @Serve(routes.incidentsNote)
  note(call: Call<typeof routes.incidentsNote>): Promise<Answer> {
    return this.owners.command(commands.incidentsNote, { ...call.params, ...call.body }, call, (incident) =>
      created(`/v1/incidents/${incident.id}`, incident),
    );
  }
}
