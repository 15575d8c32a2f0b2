import { Injectable } from '@nestjs/common';
import {
  type Aged,
  type IncidentRow,
  type IncidentView,
  incidentViewOf,
  timelineEntryOf,
  type TimelineRow,
} from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import { Answers } from './answers.ts';
import { cursors, pageOf, readCursor } from './cursor.ts';
import { Records } from './records.ts';

const COLUMNS = `id, monitor_id, monitor_name, status, state, reason, message, opened_at, acknowledged_at, acknowledged_by, resolved_at`;

/** Written out, and not derived from the view's status, so that the partial index over open incidents serves them. */
const WHERE_STATUS = {
  open: ' AND resolved_at IS NULL AND acknowledged_at IS NULL',
  acknowledged: ' AND resolved_at IS NULL AND acknowledged_at IS NOT NULL',
  resolved: ' AND resolved_at IS NOT NULL',
} as const;
const TIMELINE_MAX = 500;

/** Incidents, the newest first. */
@Injectable()
export class Incidents {
  constructor(
    private readonly records: Records,
    private readonly answers: Answers,
  ) {}

  /** @throws TocsinError `invalid` for a cursor that is not of this list */
  async list(query: {
    monitorId?: string | undefined;
    status?: IncidentView['status'] | undefined;
    cursor?: string | undefined;
    limit: number;
  }): Promise<Aged<{ items: IncidentView[]; next?: string }>> {
    const after = readCursor(cursors.incidents, query.cursor);
    return this.answers.aged('incidents', query, { tag: 'incidents' }, async () => {
      const { where, params } = conditions(query, after);
      const sql = `SELECT ${COLUMNS} FROM incidents.incidents_v1 WHERE true${where}
        ORDER BY opened_at DESC, id DESC LIMIT $${params.length + 1}`;
      const rows = await this.records.read<IncidentRow>(nameOf(query), sql, [...params, query.limit + 1]);
      return pageOf(rows, query.limit, { item: incidentViewOf, key: (row) => [row.opened_at, row.id] });
    });
  }

  /** One incident with its timeline. @throws TocsinError `not_found` */
  get({ id }: { id: string }): Promise<Aged<IncidentView>> {
    return this.answers.aged('incident', id, { tag: 'incidents', ttlMs: 1_000 }, async () => {
      const [rows, entries] = await Promise.all([
        this.records.read<IncidentRow>('incident get', `SELECT ${COLUMNS} FROM incidents.incidents_v1 WHERE id = $1`, [
          id,
        ]),
        this.records.read<TimelineRow>(
          'incident timeline',
          'SELECT at, what, by_whom, text FROM incidents.timeline_v1 WHERE incident_id = $1 ORDER BY n DESC LIMIT $2',
          [id, TIMELINE_MAX],
        ),
      ]);
      if (!rows[0]) throw new TocsinError('not_found', `There is no incident ${id}.`);
      return { ...incidentViewOf(rows[0]), timeline: entries.toReversed().map(timelineEntryOf) };
    });
  }
}

/** One name per text of the statement: it is prepared under it. */
function nameOf(query: { monitorId?: unknown; status?: string | undefined; cursor?: unknown }): string {
  const given = (['monitorId', 'cursor'] as const).filter((key) => query[key] !== undefined);
  return ['incidents list', query.status ?? 'any', ...given].join(' ');
}

function conditions(
  query: { monitorId?: string | undefined; status?: IncidentView['status'] | undefined },
  after: readonly [number, string] | undefined,
): { where: string; params: unknown[] } {
  const params: unknown[] = [];
  let where = query.status === undefined ? '' : WHERE_STATUS[query.status];
  if (query.monitorId !== undefined) where += ` AND monitor_id = $${params.push(query.monitorId)}`;
  if (after) where += ` AND (opened_at, id) < ($${params.push(after[0])}, $${params.push(after[1])})`;
  return { where, params };
}
