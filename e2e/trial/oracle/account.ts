import { setImmediate as turn } from 'node:timers/promises';
import { type ApiFigures, type ApiRecord, apiFigures } from '../load/api-figures.ts';
import type { Load } from '../load/load.ts';
import type { Row } from '../report/row.ts';
import { alertsOf } from './alert.ts';
import { type AlertCounts, countAlerts } from './alerts.ts';
import { explain } from './explain.ts';
import { type Range, within } from './range.ts';
import { compareWithRecord, type RecordCounts } from './record.ts';
import { type Delay, medianAndWorst, recoveriesMs } from './recovery.ts';
import { countWindows, dueTimesOf, firstHitAfter, LONG_MS, type WindowCounts } from './windows.ts';
import { countWrites, type There } from './writes.ts';

/** What was counted of a range. */
export type Account = Pick<Row, 'checks' | 'alerts' | 'api' | 'recoveryMs' | 'details'>;

/**
 * Counts what a range of time cost. Ask 30 s or more after its end: then every window is accounted for, every alert
 * has had its time, and every request has ended.
 * @param strikes when something was broken in it, epoch ms, ascending
 */
export async function account(load: Load, range: Range, strikes: readonly number[]): Promise<Account> {
  const { monitors, clients } = load;
  const { hitsOf } = load.targets;
  const there = await whatIsThere(load);
  const recorded = await clients.record.windows(range);
  const windows = countWindows(monitors, hitsOf, range);
  // Between two counts the targets and the clients have their turn: they are in this process too.
  await turn();
  const record = compareWithRecord(monitors, recorded, hitsOf, range);
  await turn();
  const alerts = alertsIn(load, range);
  await turn();
  const writes = countWrites(clients.api.ledger, there, range);
  const requests = clients.api.requestsIn(range);
  const delays = [...checksDelayed(load, range), ...alertsDelayed(alerts), ...requestsDelayed(requests)];
  const figures = apiFigures(requests);
  const outdated = clients.api.ledger.outdated.filter(({ at }) => within(range, at));
  return {
    checks: checksOf(windows, record),
    alerts: pickAlerts(alerts),
    api: {
      ...pickApi(figures),
      outdated: outdated.length,
      lostWrites: writes.lostWrites + writes.failedOperations,
      doubledWrites: writes.doubledWrites,
    },
    recoveryMs: medianAndWorst(recoveriesMs(strikes, delays)),
    details: explain({ windows, record, alerts, writes, requests: figures, outdated }, strikes),
  };
}

async function whatIsThere({ clients: { record } }: Load): Promise<There> {
  const askedAt = Date.now();
  const [channels, monitors] = await Promise.all([record.channels(), record.monitorNames()]);
  return { channels, monitors, askedAt };
}

/** The alerts of a range; what is usual is what a quarter of all alerts that are still known took at most. */
function alertsIn(load: Load, range: Range): AlertCounts {
  const { monitors, targets, sink } = load;
  const asked = { monitors, hitsOf: targets.hitsOf, startedAt: targets.startedAt ?? range.from };
  const seen = alertsOf(sink.arrivals);
  const usual = countAlerts({ ...asked, seen, range: { from: asked.startedAt, to: range.to } })
    .told.map(({ dueAt, at }) => at - dueAt)
    .toSorted((a, b) => a - b);
  return countAlerts({ ...asked, seen, range, usualMs: usual[Math.floor(usual.length / 4)] ?? 0 });
}

function checksDelayed({ monitors, targets }: Load, range: Range): Delay[] {
  return monitors.flatMap((monitor) => {
    const hits = targets.hitsOf(monitor.n);
    return dueTimesOf(monitor, range).map((from) => {
      const lateMs = firstHitAfter(hits, from, monitor.intervalMs);
      return lateMs === undefined ? { from } : { from, to: from + lateMs };
    });
  });
}

function alertsDelayed({ told, details }: AlertCounts): Delay[] {
  const lost = details.filter(({ what }) => what === 'lost').map(({ at: from }) => ({ from }));
  return [...told.map(({ dueAt: from, at: to }) => ({ from, to })), ...lost];
}

function requestsDelayed(requests: readonly ApiRecord[]): Delay[] {
  return requests.map(({ startedAt: from, tookMs }) => ({ from, to: from + tookMs }));
}

/** A window that ran and whose result was lost is as good as missed. */
function checksOf(windows: WindowCounts, record: RecordCounts): Row['checks'] {
  const { due, late, worstLateMs, worstGapMs } = windows;
  const { lostResults, unaccounted, surplus, unseenRuns } = record;
  return {
    due,
    late,
    missed: windows.missed + lostResults.length,
    missedLong: windows.missedLong + lostResults.filter(({ intervalMs }) => intervalMs >= LONG_MS).length,
    unaccounted: unaccounted.length + surplus,
    untrue: unseenRuns.length,
    worstLateMs,
    worstGapMs,
  };
}

function pickAlerts(counts: AlertCounts): Row['alerts'] {
  const { expected, arrived, lost, doubled, repeatedKeys, worstExtraMs } = counts;
  return { expected, arrived, lost, doubled, repeatedKeys, false: counts.false, worstExtraMs };
}

function pickApi({ requests, failed, refused, accepted, stale, worstMs }: ApiFigures) {
  return { requests, failed, refused, accepted, stale, worstMs };
}
