import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { Heartbeat } from '@tocsin/contracts';
import type { Delivery } from '@tocsin/messaging';
import { HeartbeatsService } from './heartbeats.service.ts';

@Controller()
export class HeartbeatsController {
  constructor(private readonly service: HeartbeatsService) {}

  @EventPattern('incidentsHeartbeats', { batch: 100, lingerMs: 3, concurrency: 1 })
  pings(@Payload() deliveries: Delivery<Heartbeat>[]): Promise<void> {
    return this.service.fold(deliveries);
  }
}
