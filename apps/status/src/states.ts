import { Inject, Injectable } from '@nestjs/common';
import type { Answer } from '@tocsin/cache';
import type { Aged, CoverageReport, StateName, StateView, Summary } from '@tocsin/contracts';
import type { Clock } from '@tocsin/core';
import { CLOCK } from '@tocsin/service';
import { Answers } from './answers.ts';
import { CoverageReports } from './coverage.ts';
import { cursors, pageOf, readCursor } from './cursor.ts';
import { Records } from './records.ts';

interface StateRow {
  monitor_id: string;
  name: string;
  state: StateName;
  since: number;
  reason: string;
  message: string;
  last_due_at: number | null;
  last_result_at: number | null;
  last_duration_ms: number | null;
  open_incident_id: string | null;
}

const COLUMNS = `monitor_id, name, state, since, reason, message, last_due_at, last_result_at, last_duration_ms, open_incident_id`;
const HOUR_MS = 3_600_000;
/** Longer than its last hour may take to load: when that fails, there is time left to go on with the older one. */
const SUMMARY_MS = 1_800;

/** A summary as it is kept: the last hour is kept for longer than the rest, so it has an age of its own. */
type Kept = Omit<Summary, 'coverage'> & { lastHour: Answer<CoverageReport> };

/** The present verdicts. */
@Injectable()
export class States {
  constructor(
    private readonly records: Records,
    private readonly answers: Answers,
    private readonly coverage: CoverageReports,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The states of these monitors, as far as they are known. */
  get({ monitorIds }: { monitorIds: string[] }): Promise<Aged<{ items: StateView[] }>> {
    const ids = [...new Set(monitorIds)].toSorted();
    return this.answers.aged('states', ids, { tag: 'states' }, async () => {
      const sql = `SELECT ${COLUMNS} FROM incidents.states_v1 WHERE monitor_id = ANY($1::uuid[])`;
      return { items: (await this.records.read<StateRow>('states get', sql, [ids])).map(viewOf) };
    });
  }

  /** All states, or those of one name, in the order in which the monitors were created. */
  async list(query: {
    state?: StateName | undefined;
    cursor?: string | undefined;
    limit: number;
  }): Promise<Aged<{ items: StateView[]; next?: string }>> {
    const after = readCursor(cursors.states, query.cursor)?.[0] ?? null;
    return this.answers.aged('states list', query, { tag: 'states' }, async () => {
      const by = query.state === undefined ? '' : ' AND state = $3';
      const rows = await this.records.read<StateRow>(
        query.state === undefined ? 'states list' : 'states list by state',
        `SELECT ${COLUMNS} FROM incidents.states_v1
         WHERE monitor_id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')${by} ORDER BY monitor_id LIMIT $2`,
        [after, query.limit + 1, ...(query.state === undefined ? [] : [query.state])],
      );
      return pageOf(rows, query.limit, { item: viewOf, key: (row) => [row.monitor_id] });
    });
  }

  /** How many monitors are in which state, and how the windows of the last hour ended. It is as old as its oldest part. */
  async summary(): Promise<Aged<Summary>> {
    // Named after its shape: instances of an older version keep another one under 'summary'.
    const kept = { tag: 'states', loadMs: SUMMARY_MS } as const;
    const { value, ageMs, outdated } = await this.answers.get('summary by part', null, kept, () => this.summarize());
    const { lastHour, ...counts } = value;
    return {
      ...counts,
      coverage: lastHour.value.coverage,
      ageMs: ageMs + lastHour.ageMs,
      // What an older version has kept does not say.
      stale: outdated || (lastHour.outdated ?? lastHour.stale),
    };
  }

  private async summarize(): Promise<Kept> {
    const states = { up: 0, down: 0, degraded: 0, unknown: 0, paused: 0, maintenance: 0 };
    const [rows, open, lastHour] = await Promise.all([
      this.records.read<{ state: StateName; n: number }>(
        'summary states',
        'SELECT state, count(*) AS n FROM incidents.states_v1 GROUP BY state',
        [],
      ),
      this.records.read<{ n: number }>(
        'summary incidents',
        'SELECT count(*) AS n FROM incidents.incidents_v1 WHERE resolved_at IS NULL',
        [],
      ),
      this.lastHour(),
    ]);
    for (const { state, n } of rows) states[state] = n;
    const monitors = rows.reduce((sum, { n }) => sum + n, 0);
    return { monitors, states, openIncidents: open[0]?.n ?? 0, lastHour };
  }

  /** It changes slowly and costs more than the rest: kept for longer. */
  private lastHour(): Promise<Answer<CoverageReport>> {
    const kept = { tag: 'history', ttlMs: 15_000 } as const;
    return this.answers.get('last hour', null, kept, () => {
      const now = this.clock.now();
      return this.coverage.count({ from: now - HOUR_MS, to: now });
    });
  }
}

function viewOf(row: StateRow): StateView {
  return {
    monitorId: row.monitor_id,
    name: row.name,
    state: row.state,
    since: row.since,
    reason: row.reason,
    message: row.message,
    ...(row.last_due_at === null ? {} : { lastDueAt: row.last_due_at }),
    ...(row.last_result_at === null ? {} : { lastResultAt: row.last_result_at }),
    ...(row.last_duration_ms === null ? {} : { lastDurationMs: row.last_duration_ms }),
    ...(row.open_incident_id === null ? {} : { openIncidentId: row.open_incident_id }),
  };
}
