import { Injectable, Logger } from '@nestjs/common';
import { checkId, checkTaskOf, subjects } from '@tocsin/contracts';
import { Messaging } from '@tocsin/messaging';
import { continueTrace } from '@tocsin/telemetry';
import type { FoldOutput } from '../states/fold-output.ts';
import { StatesStore } from '../states/states.store.ts';

type Confirmations = FoldOutput['confirmations'];

/** Most confirmations on their way to the broker at a time. The sweep publishes the rest again. */
const IN_FLIGHT_MAX = 2_000;

/**
 * Publishes the checks that confirm a first failure, right after the commit that recorded them as pending. It needs no
 * outbox: the sweep publishes a pending confirmation again until it is answered. So a lost task costs seconds and never an
 * alert, and the usual one costs no statement.
 */
@Injectable()
export class ConfirmationPublisher {
  private readonly logger = new Logger(ConfirmationPublisher.name);
  private inFlight = 0;

  constructor(
    private readonly store: StatesStore,
    private readonly messaging: Messaging,
  ) {}

  /** Begins to publish them. Never throws and does not wait: folding goes on while the broker elects a leader. */
  publish(confirmations: Confirmations): void {
    const { length } = confirmations;
    if (length === 0 || this.inFlight + length > IN_FLIGHT_MAX) return;
    this.inFlight += length;
    this.publishAll(confirmations)
      .catch((error: unknown) => this.logger.warn(`confirmations are left to the sweep: ${String(error)}`))
      .finally(() => (this.inFlight -= length));
  }

  private async publishAll(confirmations: Confirmations): Promise<void> {
    const specs = await this.store.specs([...new Set(confirmations.map(({ monitor }) => monitor.monitorId))]);
    await Promise.all(confirmations.map((one) => continueTrace(one.headers, () => this.publishOne(one, specs))));
  }

  private async publishOne(
    { monitor, confirmation }: Confirmations[number],
    specs: Awaited<ReturnType<StatesStore['specs']>>,
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
