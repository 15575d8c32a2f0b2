import { nextWindow, dueAt, gridOf } from '@tocsin/core';
import type { WatchedMonitor } from '../load/fleet.ts';
import { firstAtOrAfter } from '../load/hit-log.ts';
import { type Phase, phasesOf } from '../load/schedule.ts';
import type { Alert, AlertsSeen } from './alert.ts';
import { type HitsOf, type Range, within } from './range.ts';
import { isSilence } from './silence.ts';

/** A phase first seen so shortly before its end need not be told of: its confirmation may find the target changed. */
const SURE_MS = 8_000;
/** How long after its phase an alert may say that it happened: a confirmation that nobody ran counts later. */
const OVERDUE_MS = 20_000;
/** Clocks of processes on one machine, and rounding. */
const CLOCK_MS = 100;

export interface AlertsAsked {
  monitors: readonly WatchedMonitor[];
  hitsOf: HitsOf;
  /** When the schedule began. */
  startedAt: number;
  seen: AlertsSeen;
  /** Transitions are counted whose first window that could see them is due in it. Two minutes before it must be known. */
  range: Range;
  /** What an alert takes usually, from when the first check was due: subtracted from the delays. */
  usualMs?: number;
}

/** One thing that went wrong. */
export interface AlertDetail {
  what: 'lost' | 'doubled' | 'false';
  n: number;
  monitorId: string;
  kind: Alert['kind'];
  /** When the phase began, or when Tocsin says that it happened. */
  at: number;
  /** Of an alert that came: the state that it told of, `down` or `unknown`. */
  state?: string;
}

export interface AlertCounts {
  expected: number;
  arrived: number;
  lost: number;
  doubled: number;
  repeatedKeys: number;
  false: number;
  worstExtraMs: number;
  /** Of each that arrived: when the first check was due that could see it, and when it came. */
  told: { dueAt: number; at: number }[];
  /** Alerts that no checks ran, where indeed none did. */
  silence: number;
  /** Phases that no check fell into, or one alone, or all too shortly before the end: nothing was expected of them. */
  unseen: number;
  details: AlertDetail[];
}

/**
 * Holds what a sink was told against what the targets did. A transition is expected for every phase that a check really
 * saw; alerts are matched by when Tocsin says that it happened, whatever the order they arrived in.
 */
export function countAlerts(asked: AlertsAsked): AlertCounts {
  const counts: AlertCounts = {
    expected: 0,
    arrived: 0,
    lost: 0,
    doubled: 0,
    repeatedKeys: asked.seen.repeated.filter(({ at }) => within(asked.range, at)).length,
    false: 0,
    worstExtraMs: 0,
    told: [],
    silence: 0,
    unseen: 0,
    details: [],
  };
  const byMonitor = Map.groupBy(asked.seen.alerts, ({ monitorId }) => monitorId);
  for (const monitor of asked.monitors) {
    const alerts = byMonitor.get(monitor.id) ?? [];
    byMonitor.delete(monitor.id);
    new Story(asked, monitor, counts).read(alerts);
  }
  const strangers = [...byMonitor.values()].flat().filter(({ happenedAt }) => within(asked.range, happenedAt));
  for (const { monitorId, kind, happenedAt } of strangers) {
    counts.false++;
    counts.details.push({ what: 'false', n: -1, monitorId, kind, at: happenedAt });
  }
  const worstMs = counts.told.reduce((worst, { dueAt: due, at }) => Math.max(worst, at - due), 0);
  counts.worstExtraMs = Math.max(0, worstMs - (asked.usualMs ?? 0));
  return counts;
}

/** What should have been told of one monitor, and was. */
class Story {
  private readonly phases: Phase[];
  private readonly matched = new Set<Phase>();
  /** The verdict that Tocsin must have reached by what its checks saw; undefined: what came before is forgotten. */
  private verdict: Alert['kind'] | undefined;

  constructor(
    private readonly asked: AlertsAsked,
    private readonly monitor: WatchedMonitor,
    private readonly counts: AlertCounts,
  ) {
    const known = asked.range.from - 2 * 60_000;
    this.verdict = asked.startedAt >= known ? 'resolved' : undefined;
    this.phases = phasesOf(monitor, asked.startedAt, asked.range.to).filter(({ from }) => from >= known);
  }

  read(alerts: readonly Alert[]): void {
    const left = this.withoutSilence(alerts);
    for (const phase of this.phases) this.expect(phase, left);
    for (const alert of left) {
      if (within(this.asked.range, alert.happenedAt)) this.unexpected(alert);
    }
  }

  private expect(phase: Phase, left: Alert[]): void {
    const hits = this.asked.hitsOf(this.monitor.n);
    const first = firstAtOrAfter(hits, phase.from);
    const [hit, next = Infinity] = hits.slice(first, first + 2);
    const due = this.firstDue(phase);
    const counted = within(this.asked.range, due);
    if (hit === undefined || hit >= phase.to) {
      if (counted) this.counts.unseen++;
      return;
    }
    const kind = phase.down ? 'opened' : 'resolved';
    if (this.verdict === kind) return;
    const at = left.findIndex((alert) => alert.kind === kind && tellsOf(alert, phase, OVERDUE_MS));
    const [alert] = at < 0 ? [] : left.splice(at, 1);
    // One check alone tells nobody: its confirmation, or the next window, must have seen the same.
    const sure = this.verdict !== undefined && hit < phase.to - SURE_MS && next < phase.to;
    if (alert || sure || this.verdict === undefined) this.verdict = kind;
    if (alert) this.matched.add(phase);
    if (!counted) return;
    if (alert) this.arrived(alert, due);
    else if (sure) this.lost(kind, phase);
    else this.counts.unseen++;
  }

  private firstDue(phase: Phase): number {
    const grid = gridOf(this.monitor.id, this.monitor.intervalMs);
    return dueAt(grid, nextWindow(grid, phase.from - 1));
  }

  private arrived({ at }: Alert, due: number): void {
    this.counts.expected++;
    this.counts.arrived++;
    this.counts.told.push({ dueAt: due, at: Math.max(at, due) });
  }

  private lost(kind: Alert['kind'], phase: Phase): void {
    this.counts.expected++;
    this.counts.lost++;
    this.detail({ what: 'lost', kind, at: phase.from });
  }

  /** An alert that nothing was left to match: told a second time, or of what did not happen. */
  private unexpected({ kind, state, happenedAt }: Alert): void {
    const known = [...this.matched].some(
      (phase) => phase.down === (kind === 'opened') && tellsOf({ happenedAt }, phase, CLOCK_MS),
    );
    const what = known ? 'doubled' : 'false';
    this.counts[what]++;
    this.detail({ what, kind, state, at: happenedAt });
  }

  private withoutSilence(alerts: readonly Alert[]): Alert[] {
    const hits = this.asked.hitsOf(this.monitor.n);
    const silences = alerts.filter((alert) => isSilence(alert, this.monitor.intervalMs, hits));
    this.counts.silence += silences.filter(({ happenedAt }) => within(this.asked.range, happenedAt)).length;
    const incidents = new Set(silences.map(({ incidentId }) => incidentId));
    return alerts.filter(({ incidentId }) => !incidents.has(incidentId));
  }

  private detail(detail: Omit<AlertDetail, 'n' | 'monitorId'>): void {
    this.counts.details.push({ n: this.monitor.n, monitorId: this.monitor.id, ...detail });
  }
}

function tellsOf({ happenedAt }: Pick<Alert, 'happenedAt'>, { from, to }: Phase, overdueMs: number): boolean {
  return happenedAt >= from - CLOCK_MS && happenedAt < to + overdueMs;
}
