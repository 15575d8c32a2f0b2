import { Inject, Injectable } from '@nestjs/common';
import { type NotificationEvent, subjects } from '@tocsin/contracts';
import type { Clock } from '@tocsin/core';
import { Database, Outbox, type Transaction } from '@tocsin/database';
import { CLOCK } from '@tocsin/service';
import type { Notification } from './notification.ts';
import { reminderAfter, type Settlement } from './notification.rules.ts';
import { NotificationsStore, type ReceiverLabel } from './notifications.store.ts';

/** Writes the outcome of an attempt, and all that follows from it, in one transaction. */
@Injectable()
export class OutcomeWriter {
  constructor(
    private readonly database: Database,
    private readonly store: NotificationsStore,
    private readonly outbox: Outbox,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Losing the claim is normal: then nothing is written. */
  async settle(
    claimed: Notification,
    as: { holder: string; settlement: Settlement; shown: ReceiverLabel },
  ): Promise<void> {
    await this.database.transaction(async (tx) => {
      if (claimed.incidentId !== undefined) await this.store.lockIncident(tx, claimed.incidentId);
      const { settlement } = as;
      if (!(await this.store.settle(tx, claimed, as)) || settlement.status === 'pending') return;
      await this.store.release(tx, claimed);
      await this.remindLater(tx, claimed, as.shown);
      await this.outbox.add(tx, {
        subject: subjects.notificationEvent(claimed.id),
        payload: eventOf(claimed, settlement, this.clock.now()),
      });
    });
  }

  /** Makes a claim good for its full time again; false when it was lost. */
  confirm(claimed: Notification, holder: string): Promise<boolean> {
    return this.store.confirm(claimed, holder);
  }

  /** Gives a claim back without an attempt. */
  giveBack(claimed: Notification, holder: string, delayMs: number): Promise<void> {
    return this.store.giveBack(claimed, holder, delayMs);
  }

  private async remindLater(tx: Transaction, settled: Notification, shown: ReceiverLabel): Promise<void> {
    const { event, trace } = settled;
    const next = reminderAfter(settled);
    if (!event || next.length === 0 || (await this.store.isSilenced(tx, event.incidentId))) return;
    await this.store.insert(
      tx,
      next.map((plan) => ({ ...plan, ...shown, trace, event })),
    );
  }
}

function eventOf(
  n: Notification,
  { status }: Settlement & { status: 'sent' | 'failed' },
  at: number,
): NotificationEvent {
  return {
    notificationId: n.id,
    ...(n.incidentId === undefined ? {} : { incidentId: n.incidentId }),
    channelId: n.channelId,
    status,
    at,
  };
}
