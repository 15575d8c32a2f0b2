import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { MonitorConfig } from '@tocsin/contracts';
import type { Delivery } from '@tocsin/messaging';
import { MonitorsService } from './monitors.service.ts';

@Controller()
export class MonitorsController {
  constructor(private readonly service: MonitorsService) {}

  @EventPattern('incidentsConfig', { batch: 200, lingerMs: 3, concurrency: 1 })
  config(@Payload() deliveries: Delivery<MonitorConfig>[]): Promise<void> {
    return this.service.apply(deliveries.map(({ data }) => data));
  }
}
