import type { IncidentView, TimelineEntry } from './incident.ts';

/** A row of the view `incidents.incidents_v1`, which `incidents` publishes for readers; its times are milliseconds since the epoch. */
export interface IncidentRow {
  id: string;
  monitor_id: string;
  monitor_name: string;
  status: IncidentView['status'];
  state: IncidentView['state'];
  reason: string;
  message: string;
  opened_at: number;
  acknowledged_at: number | null;
  acknowledged_by: string | null;
  resolved_at: number | null;
}

/** A row of a timeline, as `incidents` keeps it and publishes it. */
export interface TimelineRow {
  at: number;
  what: TimelineEntry['what'];
  by_whom: string | null;
  text: string;
}

export function incidentViewOf(row: IncidentRow): IncidentView {
  return {
    id: row.id,
    monitorId: row.monitor_id,
    monitorName: row.monitor_name,
    status: row.status,
    state: row.state,
    reason: row.reason,
    message: row.message,
    openedAt: row.opened_at,
    ...(row.acknowledged_at === null ? {} : { acknowledgedAt: row.acknowledged_at }),
    ...(row.acknowledged_by === null ? {} : { acknowledgedBy: row.acknowledged_by }),
    ...(row.resolved_at === null ? {} : { resolvedAt: row.resolved_at }),
  };
}

export function timelineEntryOf({ at, what, by_whom: by, text }: TimelineRow): TimelineEntry {
  return { at, what, text, ...(by === null ? {} : { by }) };
}
