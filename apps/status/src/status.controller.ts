import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { requests } from '@tocsin/contracts';
import type { z } from 'zod';
import { Incidents } from './incidents.ts';
import { Notifications } from './notifications.ts';
import { States } from './states.ts';

type Input<K extends keyof typeof requests> = z.output<(typeof requests)[K]['input']>;
type Output<K extends keyof typeof requests> = Promise<z.output<(typeof requests)[K]['output']>>;

/** What is asked about the present. */
@Controller()
export class StatusController {
  constructor(
    private readonly states: States,
    private readonly incidents: Incidents,
    private readonly notifications: Notifications,
  ) {}

  @MessagePattern(requests.statesGet.subject)
  statesGet(@Payload() input: Input<'statesGet'>): Output<'statesGet'> {
    return this.states.get(input);
  }

  @MessagePattern(requests.statesList.subject)
  statesList(@Payload() input: Input<'statesList'>): Output<'statesList'> {
    return this.states.list(input);
  }

  @MessagePattern(requests.summary.subject)
  summary(): Output<'summary'> {
    return this.states.summary();
  }

  @MessagePattern(requests.incidentsList.subject)
  incidentsList(@Payload() input: Input<'incidentsList'>): Output<'incidentsList'> {
    return this.incidents.list(input);
  }

  @MessagePattern(requests.incidentsGet.subject)
  incidentsGet(@Payload() input: Input<'incidentsGet'>): Output<'incidentsGet'> {
    return this.incidents.get(input);
  }

  @MessagePattern(requests.notificationsList.subject)
  notificationsList(@Payload() input: Input<'notificationsList'>): Output<'notificationsList'> {
    return this.notifications.list(input);
  }

  @MessagePattern(requests.notificationsGet.subject)
  notificationsGet(@Payload() input: Input<'notificationsGet'>): Output<'notificationsGet'> {
    return this.notifications.get(input);
  }
}
