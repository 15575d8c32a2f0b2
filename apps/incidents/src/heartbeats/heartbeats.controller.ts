import { Controller } from '@nestjs/common';
import { consumers, type Heartbeat } from '@tocsin/contracts';
import { Consumes, type Delivery } from '@tocsin/messaging';
import { HeartbeatsService } from './heartbeats.service.ts';

@Controller()
export class HeartbeatsController {
  constructor(private readonly service: HeartbeatsService) {}

  @Consumes(consumers.incidentsHeartbeats, { batch: 100, lingerMs: 3, concurrency: 1 })
  pings(deliveries: Delivery<Heartbeat>[]): Promise<void> {
    return this.service.fold(deliveries);
  }
}
