import { Controller } from '@nestjs/common';
import { type CheckTask, proberTasks } from '@tocsin/contracts';
import { Consumes, type Delivery } from '@tocsin/messaging';
import type { ProberConfig } from './prober.config.ts';
import { ProberService } from './prober.service.ts';

/** Longer than the longest check, so that its task is held while it runs. */
const HOLD_MS = 330_000;

@Controller()
export class ProberController {
  constructor(private readonly prober: ProberService) {}

  @Consumes(
    ({ location }: ProberConfig) => proberTasks(location),
    ({ concurrency }: ProberConfig) => ({ concurrency, timeoutMs: HOLD_MS }),
  )
  check(task: CheckTask, delivery: Delivery<CheckTask>): Promise<void> {
    return this.prober.answer(task, delivery.deliveries);
  }
}
