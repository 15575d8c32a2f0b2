import { Injectable } from '@nestjs/common';
import type { AnyChannelSpec, ChannelConfig, IncidentEvent } from '@tocsin/contracts';
import { Database, Operations, type Queryable, type Transaction } from '@tocsin/database';
import type { Notification, NotificationKind, NotificationStatus, Recipients } from './notification.ts';
import { BLOCKED_MS, ORPHANED_MS, type Plan, rankOf, type Settlement, type Sibling } from './notification.rules.ts';
import * as sql from './notifications.sql.ts';

/** A channel as the record has it; without a specification it was deleted. */
export interface KnownChannel {
  id: string;
  spec?: AnyChannelSpec | undefined;
}

/** A notification to insert. */
export interface NewNotification extends Plan {
  channelName: string;
  to: string;
  trace: Record<string, string>;
  event?: IncidentEvent | undefined;
  /** The instance that sends it at once; absent: the instance that finds it due. */
  claimedBy?: string | undefined;
}

/** A transition of an incident, and the channels that it goes to. */
export type TransitionRef = Pick<IncidentEvent, 'incidentId' | 'transition' | 'channels'>;

/** Which channels are reminded of an incident, since which revision of its monitor. */
export type Reminded = NonNullable<IncidentEvent['reminded']>;

/** Whom a claim is for, and what it may take. */
export interface ClaimRequest {
  holder: string;
  /** Most notifications in all, and most of one channel. */
  limit: number;
  perChannel: number;
  /** The notifications that this instance is sending: it never claims them again, even if their claims have run out. */
  held: readonly string[];
  /** Channels that this instance is busy with. */
  busy: readonly string[];
  /** Claims that had run out by then, by the server's clock, are taken over; absent: none. */
  lapsedBy?: Date | undefined;
}

/** How a notification names its receiver, as an attempt records it. */
export interface ReceiverLabel {
  channelName: string;
  to: string;
}

interface NotificationRow {
  id: string;
  incident_id: string | null;
  monitor_id: string | null;
  channel_id: string;
  channel_name: string;
  kind: NotificationKind;
  step: number;
  status: NotificationStatus;
  attempts: number;
  to: string;
  answer: string | null;
  recipients: Recipients | null;
  event: IncidentEvent | null;
  trace: Record<string, string>;
  created_at: Date;
  due_at: Date | null;
  sent_at: Date | null;
}

const TIDY_BATCH = 1_000;

/** The record of notifications, of the channels they go to, and of who is reminded. */
@Injectable()
export class NotificationsStore {
  constructor(
    private readonly database: Database,
    private readonly operations: Operations,
  ) {}

  /** Others that change this incident's notifications wait until the transaction ends. */
  async lockIncident(tx: Transaction, incidentId: string): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [incidentId], { name: 'incident lock' });
  }

  async siblings(tx: Transaction, incidentId: string): Promise<Sibling[]> {
    const rows = await tx.query<{ channel_id: string; kind: NotificationKind; status: NotificationStatus }>(
      'SELECT channel_id, kind, status FROM notifications WHERE incident_id = $1',
      [incidentId],
      { name: 'notification siblings' },
    );
    return rows.map(({ channel_id, kind, status }) => ({ channelId: channel_id, kind, status }));
  }

  /** Ends the reminders of an incident, and cancels those that wait. */
  async silence(tx: Transaction, incidentId: string): Promise<void> {
    await tx.query('INSERT INTO silenced (incident_id) VALUES ($1) ON CONFLICT DO NOTHING', [incidentId], {
      name: 'incident silence',
    });
    await tx.query(
      `UPDATE notifications SET status = 'cancelled', due_at = NULL
       WHERE incident_id = $1 AND kind = 'reminder' AND status = 'pending'`,
      [incidentId],
      { name: 'reminders cancel' },
    );
  }

  async isSilenced(tx: Transaction, incidentId: string): Promise<boolean> {
    const rows = await tx.query('SELECT 1 FROM silenced WHERE incident_id = $1', [incidentId], {
      name: 'incident silenced',
    });
    return rows.length > 0;
  }

  /** From now on, only these channels are reminded of the incident. */
  async remind(tx: Transaction, incidentId: string, { channels, revision }: Reminded): Promise<void> {
    await tx.query(sql.REMIND, [incidentId, revision, channels], { name: 'incident reminded' });
  }

  /** Inserts those that do not exist yet, and returns them. */
  async insert(db: Queryable, notifications: readonly NewNotification[]): Promise<Notification[]> {
    if (notifications.length === 0) return [];
    const records = notifications.map((n) => ({
      id: n.id,
      incident_id: n.event?.incidentId ?? null,
      monitor_id: n.event?.monitorId ?? null,
      channel_id: n.channelId,
      channel_name: n.channelName,
      kind: n.kind,
      step: n.step,
      to: n.to,
      event: n.event ?? null,
      trace: n.trace,
      claimed_by: n.claimedBy ?? null,
      delay_ms: n.delayMs,
    }));
    const rows = await db.query<NotificationRow>(sql.INSERT, [JSON.stringify(records)], {
      name: 'notifications insert',
    });
    return rows.map(notificationOf);
  }

  /** Takes what is due, in one statement that two instances can run at once. */
  async claim({ holder, limit, perChannel, busy, lapsedBy, held }: ClaimRequest): Promise<Notification[]> {
    const rows = await this.database.query<NotificationRow>(
      sql.CLAIM,
      [holder, limit, perChannel, busy, lapsedBy ?? null, BLOCKED_MS, held, ORPHANED_MS],
      {
        name: 'notifications claim',
      },
    );
    return rows.filter((row) => row.status === 'sending').map(notificationOf);
  }

  /** Keeps claims from running out. */
  async renew(holder: string, ids: readonly string[]): Promise<void> {
    await this.database.query(sql.RENEW, [holder, ids], { name: 'notifications renew', urgent: true });
  }

  /** The time by the server's clock. */
  async now(): Promise<Date> {
    const [row] = await this.database.query<{ at: Date }>('SELECT now() AS at', [], { name: 'notifications now' });
    return row!.at;
  }

  /**
   * Makes a claim good for its full time again.
   * @returns false when it was lost
   */
  async confirm({ id, attempts }: Notification, holder: string): Promise<boolean> {
    const options = { name: 'notification confirm', urgent: true };
    return (await this.database.query(sql.CONFIRM, [id, holder, attempts], options)).length > 0;
  }

  /** Gives a claim back without an attempt: the attempt does not count. */
  async giveBack({ id, attempts }: Notification, holder: string, delayMs: number): Promise<void> {
    await this.database.query(sql.GIVE_BACK, [id, holder, attempts, Math.round(delayMs)], {
      name: 'notification give back',
    });
  }

  /**
   * Writes the outcome of an attempt. `sent` is written even if another instance holds the claim by now, the rest only by its holder.
   * @returns false when the claim was lost
   */
  async settle(
    tx: Transaction,
    claimed: Notification,
    { holder, settlement, shown }: { holder: string; settlement: Settlement; shown: ReceiverLabel },
  ): Promise<boolean> {
    const delayMs = settlement.status === 'pending' ? settlement.delayMs : 0;
    const { status, answer } = settlement;
    const recipients = settlement.recipients && JSON.stringify(settlement.recipients);
    const rows = await tx.query(
      sql.SETTLE,
      [claimed.id, holder, claimed.attempts, status, answer, delayMs, shown.channelName, shown.to, recipients ?? null],
      { name: 'notification settle' },
    );
    return rows.length > 0;
  }

  /** Makes due the notifications that waited for the outcome of this one. */
  async release(tx: Transaction, { incidentId, channelId, kind }: Notification): Promise<void> {
    if (incidentId === undefined) return;
    await tx.query(sql.RELEASE, [incidentId, channelId, rankOf(kind)], { name: 'notifications release' });
  }

  /** The transitions of which every channel has its notification, or was deleted. */
  async known(transitions: readonly TransitionRef[]): Promise<TransitionRef[]> {
    const rows = await this.database.query<{ n: number }>(sql.KNOWN, [JSON.stringify(transitions)], {
      name: 'transitions known',
    });
    return rows.flatMap(({ n }) => transitions[n - 1] ?? []);
  }

  async find(id: string): Promise<Notification | undefined> {
    const rows = await this.database.query<NotificationRow>('SELECT * FROM notifications WHERE id = $1', [id], {
      name: 'notification find',
    });
    return rows[0] && notificationOf(rows[0]);
  }

  async channels(ids: readonly string[], db: Queryable = this.database): Promise<Map<string, KnownChannel>> {
    if (ids.length === 0) return new Map();
    const rows = await db.query<{ id: string; spec: AnyChannelSpec | null }>(
      'SELECT id, spec FROM channels WHERE id = ANY($1::uuid[])',
      [ids],
      { name: 'channels find' },
    );
    return new Map(rows.map(({ id, spec }) => [id, { id, spec: spec ?? undefined }]));
  }

  async channelRevisions(ids: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.database.query<{ id: string; revision: number }>(
      'SELECT id, revision FROM channels WHERE id = ANY($1::uuid[])',
      [ids],
      { name: 'channel revisions' },
    );
    return new Map(rows.map(({ id, revision }) => [id, revision]));
  }

  /** Keeps the newest revision of a channel. Notifications to a deleted channel are cancelled; those to a changed one are due at once. */
  async putChannel(config: ChannelConfig): Promise<void> {
    const gone = 'deleted' in config;
    await this.database.transaction(async (tx) => {
      const spec = gone ? null : JSON.stringify(config.spec);
      const newer = await tx.query(sql.PUT_CHANNEL, [config.id, config.revision, spec], { name: 'channel put' });
      if (newer.length === 0) return;
      const change = gone
        ? `UPDATE notifications SET status = 'cancelled', due_at = NULL, answer = 'the channel was deleted'
           WHERE channel_id = $1 AND status = 'pending'`
        : `UPDATE notifications SET due_at = now() WHERE channel_id = $1 AND status = 'pending'
           AND (attempts > 0 OR channel_name = '')`;
      await tx.query(change, [config.id], { name: gone ? 'channel gone' : 'channel changed' });
    });
  }

  /** Forgets what is older than `days`, a bounded number at a time. */
  async tidy(days: number): Promise<void> {
    const old = [days, TIDY_BATCH];
    await this.database.query(sql.PURGE, old, { name: 'notifications purge' });
    await this.database.query(sql.PURGE_SILENCED, old, { name: 'silenced purge' });
    await this.operations.purge();
  }
}

function notificationOf(row: NotificationRow): Notification {
  return {
    id: row.id,
    incidentId: row.incident_id ?? undefined,
    monitorId: row.monitor_id ?? undefined,
    channelId: row.channel_id,
    channelName: row.channel_name,
    kind: row.kind,
    step: row.step,
    status: row.status,
    attempts: row.attempts,
    to: row.to,
    answer: row.answer ?? undefined,
    recipients: row.recipients ?? undefined,
    event: row.event ?? undefined,
    trace: row.trace,
    createdAt: row.created_at.getTime(),
    dueAt: row.due_at?.getTime(),
    sentAt: row.sent_at?.getTime(),
  };
}
