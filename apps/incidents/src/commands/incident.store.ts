import { Injectable } from '@nestjs/common';
import {
  type IncidentRow,
  type IncidentView,
  incidentViewOf,
  type TimelineEntry,
  timelineEntryOf,
  type TimelineRow,
} from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import type { Queryable } from '@tocsin/database';
import type { KnownMonitor } from '../states/held-monitor.ts';

/** An incident with what is known of its monitor. */
interface StoredIncident extends Omit<IncidentRow, 'status'> {
  name: string | null;
  rules: KnownMonitor['rules'] | null;
  told: string[] | null;
}

const GET = `SELECT i.*, m.name, m.rules FROM incidents i LEFT JOIN monitors m USING (monitor_id) WHERE i.id = $1`;

/** Incidents and their timelines, one at a time. Every method works in the caller's transaction. */
@Injectable()
export class IncidentStore {
  /** Locks an incident. @returns it with what an event about it needs of its monitor; its channels are those it is told to */
  async lock(
    tx: Queryable,
    id: string,
  ): Promise<{ view: IncidentView; monitor: Pick<KnownMonitor, 'monitorId' | 'name' | 'rules'> } | undefined> {
    const [row] = await tx.query<StoredIncident>(`${GET} FOR UPDATE OF i`, [id], { name: 'incident lock' });
    if (!row) return undefined;
    const known = row.rules?.channels ? row.rules : { ...GONE, ...row.rules };
    const rules = row.told ? { ...known, channels: row.told } : known;
    return { view: viewOf(row), monitor: { monitorId: row.monitor_id, name: row.name ?? row.monitor_name, rules } };
  }

  /** An incident with its timeline. @throws TocsinError `not_found` */
  async view(tx: Queryable, id: string): Promise<IncidentView> {
    const [row] = await tx.query<StoredIncident>(GET, [id], { name: 'incident get' });
    if (!row) throw new TocsinError('not_found', `There is no incident ${id}.`);
    const entries = await tx.query<TimelineRow>(
      'SELECT at, what, by_whom, text FROM timeline WHERE incident_id = $1 ORDER BY n DESC LIMIT 500',
      [id],
      { name: 'timeline of' },
    );
    return { ...viewOf(row), timeline: entries.toReversed().map(timelineEntryOf) };
  }

  async acknowledge(tx: Queryable, id: string, { at, by }: { at: number; by: string | undefined }): Promise<void> {
    await tx.query(
      'UPDATE incidents SET acknowledged_at = $2, acknowledged_by = $3 WHERE id = $1',
      [id, at, by ?? null],
      {
        name: 'incident acknowledge',
      },
    );
  }

  async addEntry(
    tx: Queryable,
    id: string,
    entry: Omit<TimelineEntry, 'by'> & { by: string | undefined },
  ): Promise<void> {
    await tx.query(
      'INSERT INTO timeline (incident_id, at, what, by_whom, text) VALUES ($1, $2, $3, $4, $5)',
      [id, entry.at, entry.what, entry.by ?? null, entry.text],
      { name: 'timeline add one' },
    );
  }
}

/** A monitor that was deleted has no channels any more. */
const GONE: KnownMonitor['rules'] = {
  channels: [],
  locations: [],
  quorum: 1,
  failureThreshold: 1,
  recoveryThreshold: 1,
  confirm: false,
  intervalMs: 0,
  timeoutMs: 0,
  phaseMs: 0,
};

function viewOf(row: StoredIncident): IncidentView {
  const unresolved = row.acknowledged_at === null ? 'open' : 'acknowledged';
  return incidentViewOf({ ...row, status: row.resolved_at === null ? unresolved : 'resolved' });
}
