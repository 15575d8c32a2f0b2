import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import type { CheckTask } from '@tocsin/contracts';
import type { Delivery } from '@tocsin/messaging';
import { bootSettings } from './prober.config.ts';
import { ProberService } from './prober.service.ts';

/** Longer than the longest check, so that its task is held while it runs. */
const HOLD_MS = 330_000;

@Controller()
export class ProberController {
  constructor(private readonly prober: ProberService) {}

  @EventPattern<string>('proberTasks', { concurrency: bootSettings(process.env).concurrency, timeoutMs: HOLD_MS })
  check(@Payload() task: CheckTask, @Ctx() delivery: Delivery<CheckTask>): Promise<void> {
    return this.prober.answer(task, delivery.deliveries);
  }
}
