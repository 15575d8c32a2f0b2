import { Controller } from '@nestjs/common';
import { consumers, type Result } from '@tocsin/contracts';
import { Consumes, type Delivery } from '@tocsin/messaging';
import { FoldService } from './fold.service.ts';

@Controller()
export class FoldController {
  constructor(private readonly service: FoldService) {}

  @Consumes(consumers.incidentsResults, { batch: 250, lingerMs: 50, concurrency: 1 })
  results(deliveries: Delivery<Result>[]): Promise<void> {
    return this.service.fold(deliveries);
  }
}
