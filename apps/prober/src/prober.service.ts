import { Inject, Injectable } from '@nestjs/common';
import { supported } from '@tocsin/checks';
import { checkId, type CheckTask, type Result, subjects } from '@tocsin/contracts';
import type { Clock } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import { CLOCK, CONFIG, type PlatformConfig } from '@tocsin/service';
import { Checker } from './checker.ts';
import { handBack } from './hand-back.ts';
import { outcomeOf } from './outcome.ts';
import type { ProberConfig } from './prober.config.ts';
import { countResult } from './prober.metrics.ts';
import { restOfUnsupported, take } from './take.ts';

/** How soon a task that another prober should run is offered again: varied, so that the broker's turns vary too. */
const AVOID_MS = 3;
const AVOID_VARIES_MS = 6;

/** Answers tasks: runs the check, publishes what it found, and only then lets go of the task. */
@Injectable()
export class ProberService {
  constructor(
    private readonly messaging: Messaging,
    @Inject(CONFIG) private readonly config: ProberConfig & PlatformConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly checker: Checker,
  ) {}

  /**
   * Returns when the result is stored by the broker.
   * @param deliveries how often the task was delivered, this time included
   * @throws HandBack when another prober should have it; TocsinError `unavailable` when the broker is away
   */
  async answer(task: CheckTask, deliveries: number): Promise<void> {
    const now = this.clock.now();
    const target = supported(task.target);
    const { stopping } = this.checker;
    const by = { prober: this.config.instance, stopping, supported: target !== undefined, deliveries, now };
    switch (take(task, by)) {
      case 'stopping':
        throw handBack(0, 'stopping', 'this prober stops');
      case 'avoid':
        throw handBack(AVOID_MS + Math.random() * AVOID_VARIES_MS, 'avoid', 'another prober should confirm it');
      case 'expired':
        return this.publish(task, { outcome: 'missed', ...(target ? {} : { because: unsupported(task) }) });
      case 'unsupported':
        throw handBack(restOfUnsupported(task, by), 'unsupported', unsupported(task).message);
      case 'run': {
        const finding = await this.checker.check({ ...task, target: target! });
        return this.publish(task, { outcome: outcomeOf(task, now), startedAt: now, finding });
      }
    }
  }

  private async publish(
    task: CheckTask,
    answer: Pick<Result, 'outcome' | 'startedAt' | 'finding' | 'because'>,
  ): Promise<void> {
    const { monitorId, revision, window, location, attempt, dueAt } = task;
    const prober = this.config.instance;
    const result: Result = { monitorId, revision, window, location, attempt, dueAt, prober, ...answer };
    // What may ring an alarm, or was asked for to confirm one, does not wait for a batch to fill.
    const urgent = result.finding?.verdict !== 'up' || task.attempt > 0;
    await this.messaging.publish(subjects.result(monitorId), result, { id: checkId(task), urgent });
    countResult(task, result);
  }
}

function unsupported({ target, location }: CheckTask): NonNullable<Result['because']> {
  const message = `no prober of ${location} that was asked can run this check of kind ${target.kind}: upgrade them`;
  return { reason: 'unsupported', message };
}
