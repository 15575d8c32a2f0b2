import { Controller } from '@nestjs/common';
import { requests } from '@tocsin/contracts';
import { Answers } from '@tocsin/messaging';
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

  @Answers(requests.statesGet)
  statesGet(input: Input<'statesGet'>): Output<'statesGet'> {
    return this.states.get(input);
  }

  @Answers(requests.statesList)
  statesList(input: Input<'statesList'>): Output<'statesList'> {
    return this.states.list(input);
  }

  @Answers(requests.summary)
  summary(): Output<'summary'> {
    return this.states.summary();
  }

  @Answers(requests.incidentsList)
  incidentsList(input: Input<'incidentsList'>): Output<'incidentsList'> {
    return this.incidents.list(input);
  }

  @Answers(requests.incidentsGet)
  incidentsGet(input: Input<'incidentsGet'>): Output<'incidentsGet'> {
    return this.incidents.get(input);
  }

  @Answers(requests.notificationsList)
  notificationsList(input: Input<'notificationsList'>): Output<'notificationsList'> {
    return this.notifications.list(input);
  }

  @Answers(requests.notificationsGet)
  notificationsGet(input: Input<'notificationsGet'>): Output<'notificationsGet'> {
    return this.notifications.get(input);
  }
}
