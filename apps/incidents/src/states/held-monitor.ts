import { type AnyMonitorSpec, heartbeatOf, isProbed } from '@tocsin/contracts';
import {
  durationMs,
  gridOf,
  type MonitorState,
  type OUTCOME_CODES,
  type HeartbeatState,
  type Rules,
  silenceMs,
  type VERDICT_CODES,
} from '@tocsin/core';

/** What deciding needs of a monitor's specification, kept ready to use in the monitors' projection. */
export interface StoredRules extends Rules {
  phaseMs: number;
  channels: readonly string[];
  remindEvery?: string | undefined;
  /** Of a heartbeat only. */
  schedule?: { every: string } | { cron: string; timezone: string };
  graceMs?: number;
}

/** A monitor as this service knows it. */
export interface KnownMonitor {
  monitorId: string;
  revision: number;
  deleted: boolean;
  name: string;
  kind: string;
  paused: boolean;
  gridSince: number;
  rules: StoredRules;
}

/** A monitor and its state, the state locked by the transaction that holds it. */
export interface Held {
  monitor: KnownMonitor;
  state: MonitorState;
  heartbeat: HeartbeatState;
}

/** One row of the history. */
export interface ResultRow {
  monitorId: string;
  dueAt: number;
  location: string;
  attempt: number;
  outcome: keyof typeof OUTCOME_CODES;
  verdict?: keyof typeof VERDICT_CODES | undefined;
  /** Whether it is the check of a window that was due. */
  counted: boolean;
  durationMs?: number | undefined;
  startedAt?: number | undefined;
  reason: string;
  message: string;
  prober: string;
  /** JSON, or undefined for none. */
  detail?: string | undefined;
}

/** A stretch of time on one grid; see the table `spans`. */
export interface StoredSpan {
  monitorId: string;
  from: number;
  until: number | undefined;
  intervalMs: number;
  phaseMs: number;
  locations: readonly string[];
  excused: boolean;
}

/** Derives what is stored with a monitor from its specification. */
export function rulesOf(monitorId: string, spec: AnyMonitorSpec): StoredRules {
  const { channels, remindEvery, failureThreshold, recoveryThreshold } = spec;
  const common = {
    channels,
    failureThreshold,
    recoveryThreshold,
    ...(remindEvery === undefined ? {} : { remindEvery }),
  };
  if (!isProbed(spec)) {
    const heartbeat = heartbeatOf(spec);
    const of = heartbeat && { schedule: heartbeat.schedule, graceMs: durationMs(heartbeat.grace) };
    return { ...common, ...NOT_PROBED, ...of };
  }
  const intervalMs = durationMs(spec.interval);
  const { locations, quorum, confirm } = spec;
  const { phaseMs } = gridOf(monitorId, intervalMs);
  return { ...common, locations, quorum, confirm, intervalMs, timeoutMs: durationMs(spec.timeout), phaseMs };
}

const NOT_PROBED = { locations: [], quorum: 1, confirm: false, intervalMs: 0, timeoutMs: 0, phaseMs: 0 };

/** Whether this version can say what is expected of a monitor: a later one may have kinds that are neither checked nor call. */
export function isUnderstood(spec: AnyMonitorSpec): boolean {
  return isProbed(spec) || heartbeatOf(spec) !== undefined;
}

/** Whether it is checked on a grid, whatever its kind. */
export function hasGrid({ rules }: Pick<KnownMonitor, 'rules'>): boolean {
  return rules.intervalMs > 0;
}

/** For how long a monitor may give no result, or undefined where none is expected. */
export function silenceOf({ monitor, state }: Pick<Held, 'monitor' | 'state'>): number | undefined {
  return !hasGrid(monitor) || state.state === 'paused' ? undefined : silenceMs(monitor.rules);
}

/** Whether a result is the check of a window that was due in a span: on its grid, from one of its locations. */
export function isDueIn(span: Omit<StoredSpan, 'monitorId'>, result: { dueAt: number; location: string }): boolean {
  if (span.excused || result.dueAt < span.from || result.dueAt >= (span.until ?? Infinity)) return false;
  return (result.dueAt - span.phaseMs) % span.intervalMs === 0 && span.locations.includes(result.location);
}

/** The span that a monitor is in now. */
export function presentSpan({ monitor }: Pick<Held, 'monitor'>): Omit<StoredSpan, 'monitorId'> {
  const { intervalMs, phaseMs, locations } = monitor.rules;
  return { from: monitor.gridSince + 1, until: undefined, intervalMs, phaseMs, locations, excused: monitor.paused };
}
