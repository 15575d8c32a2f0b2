import { Injectable } from '@nestjs/common';
import type { MonitorConfig } from '@tocsin/contracts';
import { HEARTBEAT_LOCATION } from '@tocsin/core';
import type { Queryable } from '@tocsin/database';
import { markDirty } from '../history/rollups.sql.ts';
import { hasGrid, type Held, type KnownMonitor, rulesOf } from '../states/held-monitor.ts';

/** A span that begins, and ends the one before it; without a grid nothing is due in it. */
export interface NewSpan {
  monitorId: string;
  from: number;
  grid: { intervalMs: number; phaseMs: number; locations: readonly string[]; excused: boolean } | undefined;
}

/** The moment from which on no window of a monitor is due any more. */
export interface Ending {
  monitorId: string;
  at: number;
}

/** Time for an answer to a window's last check to come in, beyond its window and timeout. */
export const SWEEP_GRACE_MS = 10_000;

const LOCK = `SELECT monitor_id AS "monitorId", revision, deleted, name, kind, paused, grid_since AS "gridSince", rules
  FROM monitors WHERE monitor_id = ANY($1::uuid[]) ORDER BY monitor_id FOR UPDATE`;

const PUT = `INSERT INTO monitors (monitor_id, revision, deleted, name, kind, paused, grid_since, rules, spec)
  SELECT * FROM unnest($1::uuid[], $2::int[], $3::bool[], $4::text[], $5::text[], $6::bool[], $7::bigint[], $8::json[],
    $9::json[]) AS n (monitor_id, revision, deleted, name, kind, paused, grid_since, rules, spec) ORDER BY n.monitor_id
  ON CONFLICT (monitor_id) DO UPDATE SET revision = excluded.revision, deleted = excluded.deleted,
    name = CASE WHEN excluded.deleted THEN monitors.name ELSE excluded.name END, kind = excluded.kind,
    paused = excluded.paused, grid_since = excluded.grid_since, rules = excluded.rules, spec = excluded.spec
  WHERE monitors.revision < excluded.revision AND NOT monitors.deleted
  RETURNING monitor_id`;

const CREATE = `INSERT INTO states (monitor_id, state, since, reason, message, expected_since, data)
  SELECT id, 'unknown', $2, 'new', '', $2, '{"locations":{},"incidents":0}' FROM unnest($1::uuid[]) AS n (id)
  ON CONFLICT DO NOTHING`;

const END_SPANS = `UPDATE spans s SET until_at = greatest(s.from_at, n.at)
  FROM unnest($1::uuid[], $2::bigint[]) AS n (id, at) WHERE s.monitor_id = n.id AND s.until_at IS NULL
  RETURNING s.monitor_id, s.until_at`;

const BEGIN_SPANS = `INSERT INTO spans (monitor_id, from_at, interval_ms, phase_ms, locations, excused)
  SELECT id, at, interval_ms, phase_ms, ARRAY(SELECT json_array_elements_text(locations)), excused
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::json[], $6::bool[])
    AS n (id, at, interval_ms, phase_ms, locations, excused)
  ON CONFLICT (monitor_id, from_at) DO UPDATE SET until_at = NULL, swept_until = NULL, interval_ms = excluded.interval_ms,
    phase_ms = excluded.phase_ms, locations = excluded.locations, excused = excluded.excused`;

/** Held so that no sweep looks at spans that are about to change: it would mark windows of a grid that has ended. */
const HOLD_SWEEPS = 'SELECT FROM sweeps WHERE monitor_id = ANY($1::uuid[]) ORDER BY monitor_id FOR UPDATE';

/**
 * Results that came before we knew of the span they fell due in, or of its end, are counted, or not, as it says. Pings
 * fall into none.
 */
const RECOUNT = `WITH changed AS (
    UPDATE results r SET counted = NOT r.counted FROM unnest($1::uuid[], $2::bigint[]) AS n (id, at)
    WHERE r.monitor_id = n.id AND r.due_at >= n.at AND r.attempt = 0 AND r.location <> '${HEARTBEAT_LOCATION}'
    AND r.counted <> EXISTS (
      SELECT FROM spans p WHERE p.monitor_id = r.monitor_id AND NOT p.excused AND r.due_at >= p.from_at
        AND (p.until_at IS NULL OR r.due_at < p.until_at)
        AND (r.due_at - p.phase_ms) % p.interval_ms = 0 AND r.location = ANY(p.locations))
    RETURNING r.monitor_id, r.due_at)
  ${markDirty('changed')}`;

const PUT_SWEEPS = `INSERT INTO sweeps (monitor_id, swept_until, next_at, interval_ms, timeout_ms)
  SELECT id, grid_since, grid_since + interval_ms + timeout_ms + ${SWEEP_GRACE_MS}, interval_ms, timeout_ms
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) AS n (id, grid_since, interval_ms, timeout_ms)
  ON CONFLICT (monitor_id) DO UPDATE SET interval_ms = excluded.interval_ms, timeout_ms = excluded.timeout_ms,
    next_at = least(sweeps.next_at, excluded.next_at)`;

/** The projection of the monitors, and what is derived from it. Every method works in the caller's transaction. */
@Injectable()
export class MonitorsStore {
  /** The known revisions of these monitors. */
  async revisions(db: Queryable, ids: readonly string[]): Promise<Map<string, number>> {
    const rows = await db.query<{ id: string; revision: number }>(
      'SELECT monitor_id AS id, revision FROM monitors WHERE monitor_id = ANY($1::uuid[])',
      [ids],
      { name: 'monitors revisions' },
    );
    return new Map(rows.map(({ id, revision }) => [id, revision]));
  }

  /** Locks what is known of these monitors, in the order of their ids, and keeps the sweep away from them. */
  async lock(tx: Queryable, ids: readonly string[]): Promise<Map<string, KnownMonitor>> {
    const rows = await tx.query<KnownMonitor>(LOCK, [ids], { name: 'monitors lock' });
    await tx.query(HOLD_SWEEPS, [ids], { name: 'sweeps hold' });
    return new Map(rows.map((row) => [row.monitorId, row]));
  }

  /** Writes what is newer than what is known; returns the ids of those. */
  async put(tx: Queryable, configs: readonly MonitorConfig[]): Promise<string[]> {
    const rows = configs.map(rowOf);
    const params = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((index) => rows.map((row) => row[index]));
    const applied = await tx.query<{ monitor_id: string }>(PUT, params, { name: 'monitors put' });
    return applied.map((row) => row.monitor_id).toSorted();
  }

  /** Makes room for the states of new monitors. */
  async create(tx: Queryable, held: readonly Held[], now: number): Promise<void> {
    if (held.length === 0) return;
    await tx.query(CREATE, [held.map(({ monitor }) => monitor.monitorId), now], { name: 'states create' });
  }

  /**
   * Ends the present spans and begins others where they ended, so that every moment is in exactly one. Windows of the
   * old grid that are still open stay due in it: the sweep accounts for each span in its own time.
   */
  async putSpans(tx: Queryable, spans: readonly NewSpan[]): Promise<void> {
    if (spans.length === 0) return;
    const ended = await this.endSpans(tx, spans.map(({ monitorId, from }) => ({ monitorId, at: from }))); // prettier-ignore
    const begun = spans.flatMap(({ monitorId, from, grid }) =>
      grid ? [{ monitorId, from: ended.get(monitorId) ?? from, ...grid }] : [],
    );
    await tx.query(
      BEGIN_SPANS,
      [
        begun.map((span) => span.monitorId),
        begun.map((span) => span.from),
        begun.map((span) => span.intervalMs),
        begun.map((span) => span.phaseMs),
        begun.map((span) => JSON.stringify(span.locations)),
        begun.map((span) => span.excused),
      ],
      { name: 'spans begin' },
    );
    await this.recount(tx, spans.map(({ monitorId, from }) => [monitorId, ended.get(monitorId) ?? from])); // prettier-ignore
  }

  /** Has the windows of these monitors accounted for from now on; heartbeats have none. */
  async putSweeps(tx: Queryable, monitors: readonly KnownMonitor[]): Promise<void> {
    const probed = monitors.filter(hasGrid);
    if (probed.length === 0) return;
    const params = [
      probed.map((monitor) => monitor.monitorId),
      probed.map((monitor) => monitor.gridSince),
      probed.map((monitor) => monitor.rules.intervalMs),
      probed.map((monitor) => monitor.rules.timeoutMs),
    ];
    await tx.query(PUT_SWEEPS, params, { name: 'sweeps put' });
  }

  /**
   * Removes the states of deleted monitors; their history stays until it is too old. Windows that fell due before their
   * end are still accounted for, and then their sweep ends by itself.
   */
  async forget(tx: Queryable, deleted: readonly Ending[]): Promise<void> {
    if (deleted.length === 0) return;
    const ended = await this.endSpans(tx, deleted);
    await this.recount(tx, [...ended]);
    const ids = deleted.map(({ monitorId }) => monitorId);
    await tx.query('DELETE FROM states WHERE monitor_id = ANY($1::uuid[])', [ids], { name: 'states delete' });
  }

  private async recount(tx: Queryable, since: readonly (readonly [monitorId: string, at: number])[]): Promise<void> {
    if (since.length === 0) return;
    await tx.query(RECOUNT, [since.map(([id]) => id), since.map(([, at]) => at)], { name: 'results recount' });
  }

  private async endSpans(tx: Queryable, ends: readonly Ending[]): Promise<Map<string, number>> {
    const params = [ends.map(({ monitorId }) => monitorId), ends.map(({ at }) => at)];
    const rows = await tx.query<{ monitor_id: string; until_at: number }>(END_SPANS, params, { name: 'spans end' });
    return new Map(rows.map((row) => [row.monitor_id, row.until_at]));
  }
}

function rowOf(config: MonitorConfig): unknown[] {
  // What is left of it is forgotten long after its end, which is where its last grid ended.
  if ('deleted' in config) return [config.id, config.revision, true, '', '', false, config.at ?? 0, '{}', null];
  const { id, revision, gridSince, spec } = config;
  const { name, kind, paused } = spec;
  const rules = JSON.stringify(rulesOf(id, spec));
  return [id, revision, false, name, kind, paused, gridSince, rules, JSON.stringify(spec)];
}
