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

/** Puts the tasks of due windows into the stream, each under the id that makes a double harmless. */
@Injectable()
export class Dispatcher {
  private readonly logger = new Logger(Dispatcher.name);

  constructor(private readonly messaging: Messaging) {}

  /**
   * Publishes one task per location of a due window. Never rejects: what could not be published within the patience of
   * the client is counted, and the record's sweep marks the window as missed.
   */
  async dispatch(due: DueWindow): Promise<void> {
    const { monitor, window } = due;
    await Promise.all(
      monitor.spec.locations.map((location) => this.publish(monitor, { window, location, attempt: 0 })),
    );
  }

  /** Checks a monitor now, outside its grid: it is new, or it was changed, and nobody wants to wait for its window. */
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
