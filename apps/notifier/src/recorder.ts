import { Injectable } from '@nestjs/common';
import { context, propagation } from '@opentelemetry/api';
import type { IncidentEvent } from '@tocsin/contracts';
import { Database, type Queryable } from '@tocsin/database';
import { Senders } from './channels/senders.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Notification } from './notification.ts';
import { plan, type Plan, type Sibling } from './notification.rules.ts';
import { type KnownChannel, type NewNotification, NotificationsStore } from './notifications.store.ts';

/** Until the configuration of a channel has arrived, what goes there waits this long at a time. */
const UNKNOWN_CHANNEL_MS = 1_000;

/** Turns what happened to an incident into notifications, each once however often the event is delivered. */
@Injectable()
export class Recorder {
  constructor(
    private readonly database: Database,
    private readonly store: NotificationsStore,
    private readonly senders: Senders,
    private readonly dispatcher: Dispatcher,
  ) {}

  /** Records the event's notifications and, once they are committed, begins to send those that are due. */
  async record(event: IncidentEvent): Promise<void> {
    const channels = await this.store.channels(event.channels);
    const insert = (db: Queryable, siblings: readonly Sibling[]): Promise<Notification[]> => {
      const wanted = plan(event, siblings).filter(({ channelId }) => !isGone(channels.get(channelId)));
      return this.store.insert(db, this.rowsOf(event, wanted, channels));
    };
    // Nothing comes before an opening, so one statement is all that stands between it and its sending.
    const inserted =
      event.transition === 'opened'
        ? await insert(this.database, [])
        : await this.database.transaction(async (tx) => {
            await this.store.lockIncident(tx, event.incidentId);
            await this.store.silence(tx, event.incidentId);
            return insert(tx, await this.store.siblings(tx, event.incidentId));
          });
    this.begin(inserted, channels);
  }

  private rowsOf(event: IncidentEvent, plans: readonly Plan[], channels: Map<string, KnownChannel>): NewNotification[] {
    const trace: Record<string, string> = {};
    propagation.inject(context.active(), trace);
    return plans.map((one) => {
      const spec = channels.get(one.channelId)?.spec;
      const shown = { channelName: spec?.name ?? '', to: spec ? this.senders.to(spec) : '' };
      const delayMs = spec ? one.delayMs : Math.max(one.delayMs, UNKNOWN_CHANNEL_MS);
      // Claimed as it is inserted where there is room: the way from event to send is one transaction.
      const claimedBy = delayMs === 0 && this.dispatcher.hasRoom(one.channelId) ? this.dispatcher.holder : undefined;
      return { ...one, ...shown, delayMs, trace, event, claimedBy };
    });
  }

  private begin(inserted: readonly Notification[], channels: Map<string, KnownChannel>): void {
    const claimed = inserted.filter((one) => one.status === 'sending');
    for (const one of claimed) void this.dispatcher.send(one, channels.get(one.channelId));
    if (inserted.some((one) => one.status === 'pending')) this.dispatcher.nudge();
  }
}

/** Nothing is sent to a channel that was deleted. */
function isGone(channel: KnownChannel | undefined): boolean {
  return channel !== undefined && channel.spec === undefined;
}
