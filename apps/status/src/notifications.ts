import { Injectable } from '@nestjs/common';
import type { Aged, NotificationView } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import { Answers } from './answers.ts';
import { cursors, pageOf, readCursor } from './cursor.ts';
import { Records } from './records.ts';

interface NotificationRow {
  id: string;
  incident_id: string | null;
  monitor_id: string | null;
  channel_id: string;
  channel_name: string;
  kind: NotificationView['kind'];
  step: number;
  status: NotificationView['status'];
  attempts: number;
  to: string;
  answer: string | null;
  created_at: Date;
  next_attempt_at: Date | null;
  sent_at: Date | null;
  /** The time with its microseconds, for the cursor. */
  position: string;
}

const COLUMNS = `id, incident_id, monitor_id, channel_id, channel_name, kind, step, status, attempts, "to", answer,
  created_at, next_attempt_at, sent_at,
  to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position`;

/** What was sent, when, to whom and with what answer; the newest first. */
@Injectable()
export class Notifications {
  constructor(
    private readonly records: Records,
    private readonly answers: Answers,
  ) {}

  /** @throws TocsinError `invalid` for a cursor that is not of this list */
  async list(query: {
    incidentId?: string | undefined;
    channelId?: string | undefined;
    status?: NotificationView['status'] | undefined;
    cursor?: string | undefined;
    limit: number;
  }): Promise<Aged<{ items: NotificationView[]; next?: string }>> {
    const after = readCursor(cursors.notifications, query.cursor);
    return this.answers.aged('notifications', query, { tag: 'notifications' }, async () => {
      const params: unknown[] = [];
      let where = '';
      if (query.incidentId !== undefined) where += ` AND incident_id = $${params.push(query.incidentId)}`;
      if (query.channelId !== undefined) where += ` AND channel_id = $${params.push(query.channelId)}`;
      if (query.status !== undefined) where += ` AND status = $${params.push(query.status)}`;
      if (after) {
        where += ` AND (created_at, id) < ($${params.push(after[0])}::timestamptz, $${params.push(after[1])}::uuid)`;
      }
      const sql = `SELECT ${COLUMNS} FROM notifier.notifications_v1 WHERE true${where}
        ORDER BY created_at DESC, id DESC LIMIT $${params.length + 1}`;
      const rows = await this.records.read<NotificationRow>(nameOf(query), sql, [...params, query.limit + 1]);
      return pageOf(rows, query.limit, { item: viewOf, key: (row) => [row.position, row.id] });
    });
  }

  /** @throws TocsinError `not_found` */
  get({ id }: { id: string }): Promise<Aged<NotificationView>> {
    return this.answers.aged('notification', id, { tag: 'notifications', ttlMs: 500 }, async () => {
      const sql = `SELECT ${COLUMNS} FROM notifier.notifications_v1 WHERE id = $1`;
      const [row] = await this.records.read<NotificationRow>('notification get', sql, [id]);
      if (!row) throw new TocsinError('not_found', `There is no notification ${id}.`);
      return viewOf(row);
    });
  }
}

/** One name per text of the statement: it is prepared under it. */
function nameOf(query: { incidentId?: unknown; channelId?: unknown; status?: unknown; cursor?: unknown }): string {
  const given = (['incidentId', 'channelId', 'status', 'cursor'] as const).filter((key) => query[key] !== undefined);
  return ['notifications list', ...given].join(' ');
}

function viewOf(row: NotificationRow): NotificationView {
  return {
    id: row.id,
    channelId: row.channel_id,
    channelName: row.channel_name,
    kind: row.kind,
    step: row.step,
    status: row.status,
    attempts: row.attempts,
    to: row.to,
    createdAt: row.created_at.getTime(),
    ...(row.incident_id === null ? {} : { incidentId: row.incident_id }),
    ...(row.monitor_id === null ? {} : { monitorId: row.monitor_id }),
    ...(row.answer === null ? {} : { answer: row.answer }),
    ...(row.next_attempt_at === null ? {} : { nextAttemptAt: row.next_attempt_at.getTime() }),
    ...(row.sent_at === null ? {} : { sentAt: row.sent_at.getTime() }),
  };
}
