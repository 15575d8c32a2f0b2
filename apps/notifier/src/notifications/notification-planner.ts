import { Injectable } from '@nestjs/common';
import type { IncidentEvent } from '@tocsin/contracts';
import { Database, type Queryable } from '@tocsin/database';
import { carryTrace } from '@tocsin/telemetry';
import { Senders } from '../channels/senders.ts';
import { NotificationSender } from './notification-sender.ts';
import type { Notification } from './notification.ts';
import { plan, type Plan, type Sibling } from './notification.rules.ts';
import { type KnownChannel, type NewNotification, NotificationsStore } from './notifications.store.ts';

/** Until the configuration of a channel has arrived, what goes there waits this long at a time. */
const UNKNOWN_CHANNEL_MS = 1_000;

/** The new notifications, and the channels that they go to. */
interface Inserted {
  notifications: Notification[];
  channels: Map<string, KnownChannel>;
}

/** Turns transitions of incidents into notifications. An event that is delivered again changes nothing. */
@Injectable()
export class NotificationPlanner {
  constructor(
    private readonly database: Database,
    private readonly store: NotificationsStore,
    private readonly senders: Senders,
    private readonly sender: NotificationSender,
  ) {}

  /** Records the event's notifications and, once they are committed, begins to send those that are due. */
  async planFor(event: IncidentEvent): Promise<void> {
    const { transition, incidentId, reminded } = event;
    const since = this.sender.monotonic();
    // Nothing comes before an opening, so one statement is all that stands between it and its sending.
    if (transition === 'opened' && !reminded) return this.begin(await this.insert(this.database, event, []), since);
    const inserted = await this.database.transaction(async (tx) => {
      if (reminded) await this.store.remind(tx, incidentId, reminded);
      if (transition === 'opened') return this.insert(tx, event, []);
      await this.store.lockIncident(tx, incidentId);
      await this.store.silence(tx, incidentId);
      return this.insert(tx, event, await this.store.siblings(tx, incidentId));
    });
    this.begin(inserted, since);
  }

  private async insert(db: Queryable, event: IncidentEvent, siblings: readonly Sibling[]): Promise<Inserted> {
    const plans = plan(event, siblings);
    const channels = await this.store.channels(plans.map(({ channelId }) => channelId), db); // prettier-ignore
    const wanted = plans.filter(({ channelId }) => !isGone(channels.get(channelId)));
    return { channels, notifications: await this.store.insert(db, this.rowsOf(event, wanted, channels)) };
  }

  private rowsOf(event: IncidentEvent, plans: readonly Plan[], channels: Map<string, KnownChannel>): NewNotification[] {
    const trace = carryTrace({});
    return plans.map((one) => {
      const spec = channels.get(one.channelId)?.spec;
      const shown = { channelName: spec?.name ?? '', to: spec ? this.senders.to(spec) : '' };
      const delayMs = spec ? one.delayMs : Math.max(one.delayMs, UNKNOWN_CHANNEL_MS);
      // Claimed as it is inserted where there is room: the way from event to send is one transaction.
      const claimedBy = delayMs === 0 && this.sender.hasRoom(one.channelId) ? this.sender.holder : undefined;
      return { ...one, ...shown, delayMs, trace, event, claimedBy };
    });
  }

  private begin({ notifications, channels }: Inserted, since: number): void {
    const claimed = notifications.filter((one) => one.status === 'sending');
    for (const one of claimed) void this.sender.send(one, channels.get(one.channelId), since);
    if (notifications.some((one) => one.status === 'pending')) this.sender.nudge();
  }
}

/** Nothing is sent to a channel that was deleted. */
function isGone(channel: KnownChannel | undefined): boolean {
  return channel !== undefined && channel.spec === undefined;
}
