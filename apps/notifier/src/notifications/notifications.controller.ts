import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { type IncidentEvent, requests } from '@tocsin/contracts';
import { NotificationPlanner } from './notification-planner.ts';
import { NotificationsStore, type TransitionRef } from './notifications.store.ts';

@Controller()
export class NotificationsController {
  constructor(
    private readonly planner: NotificationPlanner,
    private readonly store: NotificationsStore,
  ) {}

  @EventPattern('notifierIncidents', { concurrency: 32 })
  incident(@Payload() event: IncidentEvent): Promise<void> {
    return this.planner.planFor(event);
  }

  @MessagePattern(requests.transitionsKnown.subject)
  async known(@Payload() { transitions }: { transitions: TransitionRef[] }): Promise<{ known: TransitionRef[] }> {
    return { known: await this.store.known(transitions) };
  }
}
