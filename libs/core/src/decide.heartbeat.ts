import { change } from './decide.change.ts';
import { count, silentLocation } from './decide.location.ts';
import type { Decision, MonitorState, Rules } from './decide.types.ts';

/** The one location that heartbeats are recorded under. */
export const HEARTBEAT_LOCATION = 'push';

/** A ping that arrived. */
export interface Ping {
  pingId: string;
  signal: 'success' | 'start' | 'fail';
  exitCode?: number | undefined;
  message?: string | undefined;
  receivedAt: number;
}

/** When pings are expected. Cron and time zones are the caller's business: this only asks for the next time. */
export interface Schedule {
  /** When the next ping is expected after one at this time. */
  readonly next: (afterMs: number) => number;
  graceMs: number;
}

/** Where a heartbeat's schedule stands. Empty until the first ping: nobody is late before the job ever ran. */
export interface Pulse {
  lastPingId?: string;
  lastPingAt?: number;
  startedAt?: number;
  expectedAt?: number;
}

/** What one ping, or its absence, adds to the record. */
export interface PulseWindow {
  dueAt: number;
  outcome: 'ran' | 'late' | 'missed';
  verdict?: 'up' | 'down';
  reason: string;
  message: string;
  durationMs?: number;
}

export interface PulseDecision extends Decision {
  pulse: Pulse;
  windows: PulseWindow[];
}

type Thresholds = Pick<Rules, 'failureThreshold' | 'recoveryThreshold'>;

/** Most windows marked in one go after a long silence; the rest follows with the next sweep. */
const OVERDUE_MAX = 1_000;

/** Folds one ping. One that is older than the newest, or was folded already, changes nothing. */
export function decidePing(rules: Thresholds & Schedule, state: MonitorState, pulse: Pulse, ping: Ping): PulseDecision {
  const known = ping.pingId === pulse.lastPingId || ping.receivedAt < (pulse.lastPingAt ?? 0);
  if (state.state === 'paused' || known) return still(state, pulse, state.state === 'paused' ? 'paused' : 'outdated');
  const seen = { ...pulse, lastPingId: ping.pingId, lastPingAt: ping.receivedAt };
  if (ping.signal === 'start') return { ...still(state, { ...seen, startedAt: ping.receivedAt }, 'evidence') };
  const failed = ping.signal === 'fail' || (ping.exitCode ?? 0) !== 0;
  const { startedAt, ...rest } = seen;
  const window: PulseWindow = {
    dueAt: Math.min(ping.receivedAt, pulse.expectedAt ?? ping.receivedAt),
    outcome: ping.receivedAt > (pulse.expectedAt ?? Infinity) + rules.graceMs ? 'late' : 'ran',
    verdict: failed ? 'down' : 'up',
    reason: failed ? 'heartbeat' : 'ok',
    message: failed ? failureText(ping) : firstLine(ping.message, 'ok'),
    ...(startedAt === undefined ? {} : { durationMs: Math.max(0, ping.receivedAt - startedAt) }),
  };
  const next: Pulse = { ...rest, expectedAt: rules.next(ping.receivedAt) };
  return folded(failed ? { ...rules, failureThreshold: 1 } : rules, state, {
    pulse: next,
    window,
    at: ping.receivedAt,
  });
}

/** When a heartbeat is overdue if nothing comes: the expected ping plus grace, or a started job that outlasts the grace. */
export function overdueAt(rules: Pick<Schedule, 'graceMs'>, pulse: Pulse): number | undefined {
  if (pulse.expectedAt === undefined && pulse.startedAt === undefined) return undefined;
  return Math.min(pulse.expectedAt ?? Infinity, pulse.startedAt ?? Infinity) + rules.graceMs;
}

/** Marks the pings that were expected, and are overdue, as missed. Nothing happens before the first ping. */
export function decideOverdue(
  rules: Thresholds & Schedule,
  before: MonitorState,
  from: Pulse,
  now: number,
): PulseDecision {
  let decision = still(before, from, 'none');
  if (before.state === 'paused') return decision;
  for (let marked = 0; marked < OVERDUE_MAX; marked += 1) {
    const { pulse, state } = decision;
    const overdue = overdueAt(rules, pulse);
    if (overdue === undefined || now <= overdue) break;
    const dueAt = overdue - rules.graceMs;
    const { startedAt, ...rest } = pulse;
    const next: Pulse = { ...rest, expectedAt: rules.next(Math.max(dueAt, startedAt ?? 0)) };
    const late = now - (pulse.lastPingAt === undefined ? dueAt : rules.next(pulse.lastPingAt));
    const message =
      dueAt === startedAt
        ? 'heartbeat: started and did not finish in time'
        : `heartbeat: overdue by ${spoken(Math.max(late, now - dueAt))}`;
    const window: PulseWindow = { dueAt, outcome: 'missed', reason: 'heartbeat', message };
    const step = folded(rules, state, { pulse: next, window, at: overdue });
    decision = {
      ...step,
      changes: [...decision.changes, ...step.changes],
      windows: [...decision.windows, ...step.windows],
    };
  }
  return decision;
}

interface Pulsed {
  pulse: Pulse;
  window: PulseWindow;
  at: number;
}

function folded(rules: Thresholds, state: MonitorState, { pulse, window, at }: Pulsed): PulseDecision {
  const before = state.locations[HEARTBEAT_LOCATION] ?? silentLocation;
  const found = { verdict: window.verdict ?? ('down' as const), reason: window.reason, message: window.message };
  const location = count({ ...NO_PROBES, ...rules }, { ...before, dueAt: window.dueAt, attempt: 0, at }, found);
  const next: MonitorState = { ...state, locations: { [HEARTBEAT_LOCATION]: location }, lastDueAt: window.dueAt };
  if (window.verdict !== undefined) next.lastResultAt = at;
  if (window.durationMs !== undefined) next.lastDurationMs = window.durationMs;
  const { verdict } = location;
  const changed =
    verdict === 'unknown' ? { state: next, changes: [] } : change(next, { state: verdict, ...texts(found) }, at);
  return { ...changed, folded: 'evidence', confirmations: [], pulse, windows: [window] };
}

const NO_PROBES = { locations: [HEARTBEAT_LOCATION], quorum: 1, confirm: false, intervalMs: 0, timeoutMs: 0 };

function texts({ reason, message }: { reason: string; message: string }) {
  return { reason, message };
}

function still(state: MonitorState, pulse: Pulse, why: Decision['folded']): PulseDecision {
  return { state, folded: why, changes: [], confirmations: [], pulse, windows: [] };
}

function failureText(ping: Ping): string {
  const code = ping.exitCode === undefined ? '' : ` (exit code ${ping.exitCode})`;
  const said = firstLine(ping.message, '');
  return `heartbeat: reported a failure${code}${said === '' ? '' : `: ${said}`}`;
}

function firstLine(text: string | undefined, otherwise: string): string {
  const line = (text ?? '').trim().split('\n', 1)[0] ?? '';
  return line === '' ? otherwise : line.slice(0, 300);
}

/** A length of time as a person says it: `90s`, `5m 3s`, `2h 10m`, `3d 4h`. */
function spoken(ms: number): string {
  const s = Math.round(ms / 1_000);
  if (s < 120) return `${s}s`;
  if (s < 7_200) return `${Math.floor(s / 60)}m ${s % 60}s`;
  if (s < 172_800) return `${Math.floor(s / 3_600)}h ${Math.floor((s % 3_600) / 60)}m`;
  return `${Math.floor(s / 86_400)}d ${Math.floor((s % 86_400) / 3_600)}h`;
}
