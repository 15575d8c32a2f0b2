import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { Result } from '@tocsin/contracts';
import type { Delivery } from '@tocsin/messaging';
import { FoldService } from './fold.service.ts';

@Controller()
export class FoldController {
  constructor(private readonly service: FoldService) {}

  @EventPattern('incidentsResults', { batch: 250, lingerMs: 50, concurrency: 1 })
  results(@Payload() deliveries: Delivery<Result>[]): Promise<void> {
    return this.service.fold(deliveries);
  }
}
