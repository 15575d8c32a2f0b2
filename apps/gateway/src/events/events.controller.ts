import { Controller } from '@nestjs/common';
import { routes } from '@tocsin/contracts';
import { type Answer, type Call, Serve } from '@tocsin/edge';
import { EventsService } from './events.service.ts';

@Controller()
export class EventsController {
  constructor(private readonly events: EventsService) {}

  @Serve(routes.events)
  stream(call: Call<typeof routes.events>): Promise<Answer> {
    return this.events.stream(call);
  }
}
