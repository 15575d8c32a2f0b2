import { Inject, Injectable } from '@nestjs/common';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { type MonitorSpec, traitsOf } from '@tocsin/contracts';
import {
  type Clock,
  latencyBucket,
  type MonitorState,
  type HeartbeatState,
  confirmationOverdueAt,
  overdueAt,
  OUTCOME_CODES,
  OUTCOME_NAMES,
  VERDICT_CODES,
} from '@tocsin/core';
import { Database, Outbox, type Queryable, type Transaction } from '@tocsin/database';
import { CLOCK } from '@tocsin/service';
import type { FoldOutput } from './fold-output.ts';
import { widen } from '../fold/audience.ts';
import { type Held, type KnownMonitor, type ResultRow, silenceOf, type StoredSpan } from './held-monitor.ts';
import { transitions, windows } from '../incidents.metrics.ts';
import * as sql from './states.sql.ts';
import { TransitionsStore } from '../transitions/transitions.store.ts';

/** The conditions that the sweep looks for: states to look at although no result came. */
export type Overdue = 'silent' | 'confirmation' | 'heartbeat';

/** A transaction that takes longer than this is rolled back; roll-ups rely on it (see `DIRTY_BEFORE_MS`). */
const TRANSACTION_MS = 20_000;
/** A bucket that ended longer ago than this may have been rolled up before a transaction that starts now commits. */
const DIRTY_BEFORE_MS = 25_000;
const BUCKET_MS = 300_000;

interface HeldMonitorRow {
  monitor_id: string;
  state: MonitorState['state'];
  since: number;
  reason: string;
  message: string;
  last_due_at: number | null;
  last_result_at: number | null;
  last_duration_ms: number | null;
  expected_since: number;
  /** `pulse` is the state of a heartbeat: rows keep the name that they were written with. */
  data: Pick<MonitorState, 'locations' | 'incident' | 'incidents' | 'sinceRevision'> & { pulse?: HeartbeatState };
  revision: number;
  name: string;
  kind: string;
  paused: boolean;
  grid_since: number;
  rules: KnownMonitor['rules'];
}

/** The record of states, results and incidents. Every method works in the caller's transaction unless it says otherwise. */
@Injectable()
export class StatesStore {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly transitions: TransitionsStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Runs `fn` in a transaction; see Database.transaction. */
  transaction<T>(fn: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction(fn, { timeoutMs: TRANSACTION_MS });
  }

  /** Locks the states of these monitors in the order of their ids; those of deleted and unknown monitors are absent. */
  async lock(tx: Queryable, monitorIds: readonly string[]): Promise<Map<string, Held>> {
    await tx.query(sql.LOCK, [monitorIds], { name: 'states lock' });
    const rows = await tx.query<HeldMonitorRow>(sql.READ_LOCKED, [monitorIds], { name: 'states read' });
    return new Map(rows.map((row) => [row.monitor_id, heldOf(row)]));
  }

  /** Which of these monitors were deleted. This service does not know yet one that is neither deleted nor locked. */
  async deleted(tx: Queryable, monitorIds: readonly string[]): Promise<Set<string>> {
    const rows = await tx.query<{ monitor_id: string }>(
      'SELECT monitor_id FROM monitors WHERE monitor_id = ANY($1::uuid[]) AND deleted',
      [monitorIds],
      { name: 'monitors deleted' },
    );
    return new Set(rows.map((row) => row.monitor_id));
  }

  /** Locks up to `limit` states that are overdue and that no other transaction has locked. */
  async lockOverdue(tx: Queryable, what: Overdue, now: number, limit: number): Promise<Held[]> {
    const rows = await tx.query<HeldMonitorRow>(sql.LOCK_OVERDUE[what], [now, limit], { name: `states lock ${what}` });
    return rows.map(heldOf);
  }

  /** Puts off the next look at these heartbeats until then, however long they are overdue. */
  async postpone(tx: Queryable, monitorIds: readonly string[], until: number): Promise<void> {
    if (monitorIds.length === 0) return;
    const params = [monitorIds, until];
    await tx.query('UPDATE states SET overdue_at = $2 WHERE monitor_id = ANY($1::uuid[])', params, {
      name: 'states postpone',
    });
  }

  /** All spans of these monitors. */
  async spans(tx: Queryable, monitorIds: readonly string[]): Promise<StoredSpan[]> {
    return tx.query<StoredSpan>(sql.SPANS, [monitorIds], { name: 'spans of' });
  }

  /**
   * Writes results, states and incidents, keeps the transitions and adds the messages to the outbox. A result that is
   * there already stays. Roll-ups that may be complete are computed again for late results.
   */
  async save(tx: Transaction, output: FoldOutput): Promise<void> {
    const states = [...output.states.values()];
    if (output.results.length > 0 || states.length > 0) {
      const params = [...resultColumns(distinct(output.results)), ...stateColumns(states)];
      const ended = await tx.query<{ outcome: number; n: number }>(sql.WRITE, params, { name: 'fold write' });
      tx.afterCommit(() =>
        ended.forEach(({ outcome, n }) => windows.add(n, { outcome: OUTCOME_NAMES[outcome] ?? '' })),
      );
    }
    if (output.incidents.size > 0) await this.saveIncidents(tx, output);
    await widen(tx, output.audiences);
    const openings = output.audiences.map(({ message }) => message);
    await this.transitions.keep(tx, [...output.transitions, ...openings]);
    // Each message carries the trace of the result that caused it, and not that of the batch.
    await context.with(ROOT_CONTEXT, () => this.outbox.addMany(tx, [...output.messages, ...openings]));
    await this.markDirty(tx, output.results);
  }

  /** The specifications of monitors that are not deleted, outside any transaction. */
  async specs(monitorIds: readonly string[]): Promise<Map<string, { revision: number; spec: MonitorSpec }>> {
    const rows = await this.database.query<{ monitor_id: string; revision: number; spec: MonitorSpec }>(
      'SELECT monitor_id, revision, spec FROM monitors WHERE monitor_id = ANY($1::uuid[]) AND NOT deleted',
      [monitorIds],
      { name: 'monitors specs' },
    );
    return new Map(rows.map(({ monitor_id, revision, spec }) => [monitor_id, { revision, spec }]));
  }

  /** Has roll-ups that may be complete computed again. Comes last, so that others wait for the marks only a moment. */
  private async markDirty(tx: Queryable, results: readonly ResultRow[]): Promise<void> {
    const before = this.clock.now() - DIRTY_BEFORE_MS;
    const late = results.filter(({ dueAt }) => dueAt - (dueAt % BUCKET_MS) + BUCKET_MS < before);
    if (late.length === 0) return;
    const columns = [column(late, (row) => row.monitorId), column(late, (row) => row.dueAt)];
    await tx.query(sql.MARK_DIRTY, columns, { name: 'rollups mark dirty' });
  }

  /** Their messages go to the channels in the record, which may differ from the monitor's channels by now. */
  private async saveIncidents(
    tx: Transaction,
    { incidents, timeline, transitions: messages }: FoldOutput,
  ): Promise<void> {
    const rows = [...incidents.values()];
    const incidentParams = [
      column(rows, (row) => row.id),
      column(rows, (row) => row.monitorId),
      column(rows, (row) => row.monitorName),
      column(rows, (row) => row.state),
      column(rows, (row) => row.reason),
      column(rows, (row) => row.message),
      column(rows, (row) => row.openedAt),
      column(rows, (row) => row.resolvedAt),
      column(rows, (row) => row.told && JSON.stringify(row.told)),
    ];
    const saved = await tx.query<{ id: string; told: string[] | null }>(sql.SAVE_INCIDENTS, incidentParams, {
      name: 'incidents save',
    });
    const told = new Map(saved.map((row) => [row.id, row.told]));
    for (const { payload } of messages) payload.channels = told.get(payload.incidentId) ?? payload.channels;
    const timelineParams = [
      column(timeline, (entry) => entry.incidentId),
      column(timeline, (entry) => entry.at),
      column(timeline, (entry) => entry.what),
      column(timeline, (entry) => entry.by),
      column(timeline, (entry) => entry.text),
    ];
    await tx.query(sql.ADD_TIMELINE, timelineParams, { name: 'timeline add' });
    tx.afterCommit(() => timeline.forEach(({ what }) => transitions.add(1, { kind: what })));
  }
}

function heldOf(row: HeldMonitorRow): Held {
  const { pulse, incident, ...data } = row.data;
  return {
    monitor: {
      monitorId: row.monitor_id,
      revision: row.revision,
      deleted: false,
      name: row.name,
      kind: row.kind,
      paused: row.paused,
      gridSince: row.grid_since,
      rules: row.rules,
    },
    state: {
      monitorId: row.monitor_id,
      state: row.state,
      since: row.since,
      reason: row.reason,
      message: row.message,
      expectedSince: row.expected_since,
      ...data,
      ...(incident ? { incident } : {}),
      ...(row.last_due_at === null ? {} : { lastDueAt: row.last_due_at }),
      ...(row.last_result_at === null ? {} : { lastResultAt: row.last_result_at }),
      ...(row.last_duration_ms === null ? {} : { lastDurationMs: row.last_duration_ms }),
    },
    heartbeat: pulse ?? {},
  };
}

/** Each result once: a batch may hold one and its redelivery, and a statement that meets a row twice is refused. */
function distinct(rows: readonly ResultRow[]): ResultRow[] {
  const seen = new Set<string>();
  return rows.filter(({ monitorId, dueAt, location, attempt }) => {
    const key = `${monitorId} ${dueAt} ${location} ${attempt}`;
    return !seen.has(key) && seen.add(key);
  });
}

function resultColumns(rows: readonly ResultRow[]): unknown[] {
  return [
    column(rows, (row) => row.monitorId),
    column(rows, (row) => row.dueAt),
    column(rows, (row) => row.location),
    column(rows, (row) => row.attempt),
    column(rows, (row) => OUTCOME_CODES[row.outcome]),
    column(rows, (row) => row.verdict && VERDICT_CODES[row.verdict]),
    column(rows, (row) => row.counted),
    column(rows, bucketOf),
    column(rows, (row) => row.durationMs),
    column(rows, (row) => row.startedAt),
    column(rows, (row) => row.reason),
    column(rows, (row) => row.message),
    column(rows, (row) => row.prober),
    column(rows, (row) => row.detail),
  ];
}

/** Latency is that of answers: how long a failure took says nothing about it. */
function bucketOf({ verdict, durationMs }: ResultRow): number | undefined {
  return durationMs === undefined || verdict === undefined || verdict === 'down'
    ? undefined
    : latencyBucket(durationMs);
}

function stateColumns(held: readonly Held[]): unknown[] {
  return [
    column(held, ({ state }) => state.monitorId),
    column(held, ({ state }) => state.state),
    column(held, ({ state }) => state.since),
    column(held, ({ state }) => state.reason),
    column(held, ({ state }) => state.message),
    column(held, ({ state }) => state.lastDueAt),
    column(held, ({ state }) => state.lastResultAt),
    column(held, ({ state }) => state.lastDurationMs),
    column(held, ({ state }) => state.incident?.id),
    column(held, ({ state }) => state.expectedSince),
    column(held, silenceOf),
    column(held, ({ monitor, state }) => confirmationOverdueAt(monitor.rules, state)),
    column(held, heartbeatOverdueAt),
    column(held, dataOf),
  ];
}

function heartbeatOverdueAt({ monitor, state, heartbeat }: Held): number | undefined {
  if (monitor.rules.graceMs === undefined || state.state === 'paused') return undefined;
  return overdueAt({ graceMs: monitor.rules.graceMs }, heartbeat);
}

function dataOf({ monitor, state, heartbeat }: Held): string {
  const { locations, incident, incidents, sinceRevision } = state;
  return JSON.stringify({
    locations,
    incident,
    incidents,
    sinceRevision,
    ...(traitsOf(monitor.kind).hasKey ? { pulse: heartbeat } : {}),
  });
}

function column<T, V>(rows: readonly T[], value: (row: T) => V | undefined): (V | null)[] {
  return rows.map((row) => value(row) ?? null);
}
