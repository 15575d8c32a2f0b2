import { Controller } from '@nestjs/common';
import { consumers, type IncidentEvent, requests } from '@tocsin/contracts';
import { Answers, Consumes } from '@tocsin/messaging';
import { NotificationPlanner } from './notification-planner.ts';
import { NotificationsStore, type TransitionRef } from './notifications.store.ts';

@Controller()
export class NotificationsController {
  constructor(
    private readonly planner: NotificationPlanner,
    private readonly store: NotificationsStore,
  ) {}

  @Consumes(consumers.notifierIncidents, { concurrency: 32 })
  incident(event: IncidentEvent): Promise<void> {
    return this.planner.planFor(event);
  }

  @Answers(requests.transitionsKnown)
  async known({ transitions }: { transitions: TransitionRef[] }): Promise<{ known: TransitionRef[] }> {
    return { known: await this.store.known(transitions) };
  }
}
