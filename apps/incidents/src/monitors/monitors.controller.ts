import { Controller } from '@nestjs/common';
import { consumers, type MonitorConfig } from '@tocsin/contracts';
import { Consumes, type Delivery } from '@tocsin/messaging';
import { MonitorsService } from './monitors.service.ts';

@Controller()
export class MonitorsController {
  constructor(private readonly service: MonitorsService) {}

  @Consumes(consumers.incidentsConfig, { batch: 200, lingerMs: 3, concurrency: 1 })
  config(deliveries: Delivery<MonitorConfig>[]): Promise<void> {
    return this.service.apply(deliveries.map(({ data }) => data));
  }
}
