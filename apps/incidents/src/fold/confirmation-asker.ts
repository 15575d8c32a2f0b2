import { Injectable, Logger } from '@nestjs/common';
import { context } from '@opentelemetry/api';
import { checkId, checkTaskOf, subjects } from '@tocsin/contracts';
import { Messaging } from '@tocsin/messaging';
import type { Effects } from '../effects.ts';
import { IncidentsStore } from '../incidents.store.ts';
import { traceOf } from '../traces.ts';

type Asked = Effects['confirmations'];

/** Most confirmations on their way to the broker at a time; the sweep asks for the rest again. */
const IN_FLIGHT_MAX = 2_000;

/**
 * Publishes the checks that confirm a first failure, right after the commit that recorded that one is pending. It needs
 * no outbox: what is pending stands in the record, and the sweep asks again for what was not answered, so a lost task
 * costs seconds and never an alert, and the usual one costs no statement.
 */
@Injectable()
export class ConfirmationAsker {
  private readonly logger = new Logger(ConfirmationAsker.name);
  private inFlight = 0;

  constructor(
    private readonly store: IncidentsStore,
    private readonly messaging: Messaging,
  ) {}

  /** Begins to publish them. Never throws and does not wait: folding goes on while the broker elects a leader. */
  ask(asked: Asked): void {
    if (asked.length === 0) return;
    if (this.inFlight + asked.length > IN_FLIGHT_MAX) return;
    this.inFlight += asked.length;
    this.publish(asked)
      .catch((error: unknown) => this.logger.warn(`confirmations are left to the sweep: ${String(error)}`))
      .finally(() => (this.inFlight -= asked.length));
  }

  private async publish(asked: Asked): Promise<void> {
    const specs = await this.store.specs([...new Set(asked.map(({ monitor }) => monitor.monitorId))]);
    await Promise.all(asked.map((one) => context.with(traceOf(one.headers), () => this.publishOne(one, specs))));
  }

  private async publishOne(
    { monitor, confirmation }: Asked[number],
    specs: Awaited<ReturnType<IncidentsStore['specs']>>,
  ): Promise<void> {
    const found = specs.get(monitor.monitorId);
    if (!found) return; // deleted meanwhile
    const { window, location, attempt, avoid, askedAt: now } = confirmation;
    const of = { window, location, attempt, avoid: avoid === '' ? [] : [avoid], now };
    const task = checkTaskOf({ id: monitor.monitorId, ...found }, of);
    if (!task) return;
    // The window of the question, also where the interval was changed since.
    const asked = { ...task, dueAt: confirmation.dueAt };
    await this.messaging.publish(subjects.check(location, monitor.monitorId), asked, { id: checkId(asked) });
  }
}
