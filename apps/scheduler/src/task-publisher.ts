import { Injectable, Logger } from '@nestjs/common';
import { SpanKind, metrics } from '@opentelemetry/api';
import { checkId, checkTaskOf, MANUAL_ATTEMPT, subjects } from '@tocsin/contracts';
import { Messaging } from '@tocsin/messaging';
import { withSpan } from '@tocsin/telemetry';
import type { DueWindow, ProbedMonitor } from './schedule.ts';

const meter = metrics.getMeter('tocsin');
const published = meter.createCounter('tocsin_tasks_published_total', { description: 'Check tasks in the stream' });
const doubled = meter.createCounter('tocsin_tasks_doubled_total', {
  description: 'Check tasks the stream had already: another holder was first',
});
const failed = meter.createCounter('tocsin_tasks_failed_total', { description: 'Check tasks the stream did not take' });

/** Publishes the tasks of due windows, each under an id that makes a double harmless. */
@Injectable()
export class TaskPublisher {
  private readonly logger = new Logger(TaskPublisher.name);

  constructor(private readonly messaging: Messaging) {}

  /**
   * Publishes one task per location of a due window. Never rejects: a task that the broker does not take in time is
   * counted and logged, and the sweep of incidents marks its window as missed.
   */
  async publishDue(due: DueWindow): Promise<void> {
    const { monitor, window } = due;
    await Promise.all(
      monitor.spec.locations.map((location) => this.publish(monitor, { window, location, attempt: 0 })),
    );
  }

  /** Has a new or changed monitor checked at once, outside its grid: a person may wait for the result. */
  async checkNow(monitor: ProbedMonitor, window: number, now: number): Promise<void> {
    const attempt = MANUAL_ATTEMPT + monitor.revision;
    await Promise.all(
      monitor.spec.locations.map((location) => this.publish(monitor, { window, location, attempt, now })),
    );
  }

  private async publish(
    monitor: ProbedMonitor,
    of: { window: number; location: string; attempt: number; now?: number },
  ): Promise<void> {
    const task = checkTaskOf(monitor, of);
    if (!task) return; // a heartbeat: the feed lets none through
    const id = checkId(task);
    try {
      const { duplicate } = await withSpan(
        `check due`,
        { kind: SpanKind.PRODUCER, root: true, attributes: { 'tocsin.monitor.id': monitor.id, 'tocsin.check.id': id } },
        () => this.messaging.publish(subjects.check(of.location, monitor.id), task, { id }),
      );
      published.add(1);
      if (duplicate) doubled.add(1);
    } catch (error) {
      failed.add(1);
      this.logger.error(`no task for check ${id}: ${String(error)}`);
    }
  }
}
